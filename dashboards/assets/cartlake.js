// Callbacks that need no server: which page is shown, the menu, the theme of a figure.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.cartlake = {
  show_page: function (path, search, pages) {
    const index = pages.findIndex((page) => page.path === cleanPath(path));
    document.title = (index < 0 ? "No such page" : pages[index].title) + " – Cartlake";
    const links = pages.map((_, each) => (each === index ? "nav-link nav-here" : "nav-link"));
    pages.forEach(function (_, each) {
      const link = document.getElementById("link-" + each);
      if (link && each === index) link.setAttribute("aria-current", "page");
      else if (link) link.removeAttribute("aria-current");
    });
    return [...links, ...pages.map((page) => page.path + (search || ""))];
  },

  close_menu: function () {
    return false;
  },

  open_menu: function (isOpen, navbar) {
    return { ...navbar, collapsed: { mobile: !isOpen } };
  },

  next_epoch: function (message, current) {
    const same = !message || (current && current.epoch === message.epoch);
    return same ? window.dash_clientside.no_update : message;
  },

  mount: function (figure, chart, mounted) {
    return figure && !mounted ? chart : window.dash_clientside.no_update;
  },

  themed: function (figure, _scheme, templates) {
    if (!figure) return window.dash_clientside.no_update;
    return { ...figure, layout: { ...figure.layout, template: templates[shownScheme()] } };
  },
};

// The toggle's own property starts as "light" on a dark system: the document says what is shown.
function shownScheme() {
  const scheme = document.documentElement.getAttribute("data-mantine-color-scheme");
  return scheme === "dark" ? "dark" : "light";
}

new MutationObserver(function () {
  if (document.getElementById("main")) {
    window.dash_clientside.set_props("shown-scheme", { data: shownScheme() });
  }
}).observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
