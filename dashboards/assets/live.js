// Listens for new versions of gold and hands them to Dash; connects again after a break.
(function () {
  const longestWait = 5000;
  let wait = 500;

  function show(isOn) {
    document.documentElement.setAttribute("data-live", isOn ? "on" : "off");
  }

  function hand(message) {
    const dash = window.dash_clientside;
    if (dash && dash.set_props && document.getElementById("main")) {
      dash.set_props("live-message", { data: message });
    } else {
      window.setTimeout(hand, 100, message);
    }
  }

  function connect() {
    const socket = new WebSocket(`ws://${window.location.host}/live`);
    socket.onopen = function () {
      wait = 500;
      show(true);
    };
    socket.onmessage = function (event) {
      hand(JSON.parse(event.data));
    };
    socket.onclose = function () {
      show(false);
      window.setTimeout(connect, wait);
      wait = Math.min(wait * 2, longestWait);
    };
  }

  show(false);
  connect();
})();
