// Listens for news: new versions of gold go to Dash, live figures to the page Live. Connects again
// after a break, also after one that nobody told: the server gives a sign of life every 5 seconds.
(function () {
  const longestWait = 5000;
  const silence = 15000;
  let wait = 500;
  let heard = 0;

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

  function take(message) {
    if (message.live && window.cartlakeLive) window.cartlakeLive(message.live);
    else if (message.epoch) hand(message);
  }

  function connect() {
    const socket = new WebSocket(`ws://${window.location.host}/live`);
    heard = Date.now();
    const watch = window.setInterval(function () {
      if (Date.now() - heard > silence) socket.close();
    }, 1000);
    socket.onopen = function () {
      wait = 500;
      show(true);
    };
    socket.onmessage = function (event) {
      heard = Date.now();
      take(JSON.parse(event.data));
    };
    socket.onclose = function () {
      window.clearInterval(watch);
      show(false);
      window.setTimeout(connect, wait);
      wait = Math.min(wait * 2, longestWait);
    };
  }

  show(false);
  connect();
})();
