// The page Live: puts the newest live figures into whatever of it is mounted. Texts only, no markup.
(function () {
  const staleAfter = 5000;
  const steps = {
    page_view: "Visit",
    product_view: "Looked at a product",
    add_to_cart: "Filled a cart",
    checkout: "Went to the checkout",
    purchase: "Bought",
  };
  let newest = null;
  let arrived = 0;
  let isWaiting = false;

  function all(name, root) {
    return (root || document).querySelectorAll(`[${name}]`);
  }

  function put(node, text) {
    if (node.textContent === text) return;
    const isChange = node.textContent !== "";
    node.textContent = text;
    if (!isChange) return;
    node.classList.remove("live-tick");
    void node.offsetWidth; // starts the animation again
    node.classList.add("live-tick");
  }

  function element(name, className, text) {
    const made = document.createElement(name);
    made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function share(value, most) {
    return most > 0 ? `${Math.max(0, Math.min(100, (value / most) * 100)).toFixed(2)}%` : "0%";
  }

  function counted(number, one, many) {
    return `${number} ${number === 1 ? one : many}`;
  }

  const rows = {
    latest_orders: (row) => [
      row.order_id,
      row.shown,
      `${row.time} · ${row.country} · ${counted(row.quantity, "piece", "pieces")}`,
      null,
    ],
    funnel: (row, list) => [
      steps[row.step] || row.step,
      String(row.sessions),
      row.share ? `${row.share} of visits` : "",
      share(row.sessions, list[0].sessions),
    ],
    sales_by_country: (row, list) => [
      row.country,
      row.shown,
      counted(row.orders, "order", "orders"),
      share(Number(row.amount), Number(list[0].amount)),
    ],
    top_products: (row, list) => [
      row.description || row.sku,
      row.shown,
      counted(row.quantity, "piece", "pieces"),
      share(Number(row.amount), Number(list[0].amount)),
    ],
  };

  function fill(list, name, found) {
    const key = JSON.stringify(found);
    if (list.dataset.shown === key) return;
    list.dataset.shown = key;
    const items = found.map(function (row) {
      const [title, amount, small, length] = rows[name](row, found);
      const item = element("li", length === null ? "live-order" : "bar-row");
      if (length !== null) item.style.setProperty("--length", length);
      const label = element("span", "bar-name", title);
      label.title = title;
      item.append(label, element("span", "bar-amount", amount), element("span", "bar-small", small));
      return item;
    });
    if (!items.length) items.push(element("li", "muted", "Nothing yet today."));
    list.replaceChildren(...items);
  }

  function render() {
    isWaiting = false;
    if (!newest || !document.getElementById("live-shop")) return;
    all("data-live-empty").forEach((node) => (node.hidden = true));
    all("data-live-body").forEach((node) => (node.hidden = false));
    all("data-live-figure").forEach(function (node) {
      put(node, newest.figures[node.dataset.liveFigure] || "–");
    });
    all("data-live-list").forEach(function (node) {
      const key = node.dataset.liveList;
      fill(node, key.split("/")[1], newest.lists[key] || []);
    });
    all("data-live-clock").forEach(function (node) {
      node.textContent = `${newest.clock} on the shop's clock`;
    });
    all("data-live-since").forEach((node) => (node.textContent = newest.clock));
    document.getElementById("live-shop").dataset.version = newest.version;
    age();
  }

  function age() {
    const isStale = Date.now() - arrived > staleAfter;
    all("data-live-stale").forEach((node) => (node.hidden = !newest || !isStale));
  }

  window.cartlakeLive = function (live) {
    if (newest && live.version < newest.version) return;
    // The first message after a connection may be an old one: it is fresh when another follows.
    if (newest && live.version > newest.version) arrived = Date.now();
    newest = live;
    if (isWaiting) return;
    isWaiting = true;
    window.requestAnimationFrame(render);
  };

  new MutationObserver(function () {
    const page = document.getElementById("live-shop");
    if (page && newest && !page.dataset.version) render();
  }).observe(document.documentElement, { childList: true, subtree: true });
  window.setInterval(age, 1000);
})();
