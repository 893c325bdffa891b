// The filter bar and the address: a click on a control changes the address, the address the controls.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.filters = {
  keep: function (search, preset, days, countries, limits) {
    const keep = window.dash_clientside.no_update;
    if (!limits) return [keep, keep, keep, keep];
    const controls = ["preset.value", "days.value", "countries.value"];
    const asked = window.dash_clientside.callback_context.triggered.map((each) => each.prop_id);
    const touched = controls.filter((each) => asked.includes(each));
    const isOutside = asked.length === 0 || asked.some((each) => !controls.includes(each));
    const wanted = isOutside
      ? fromAddress(search, limits)
      : fromControls(search, preset, days, countries, limits, touched);
    if (!wanted) return [keep, keep, keep, keep];
    return [
      [wanted.search, search || ""],
      [wanted.preset, preset],
      [wanted.days, days],
      [wanted.countries, countries || []],
    ].map(([now, before]) => (JSON.stringify(now) === JSON.stringify(before) ? keep : now));
  },

  fit: function (path, limits, pages) {
    const page = pages.find((each) => each.path === cleanPath(path));
    const filters = page ? page.filters : [];
    const classes = filters.map((each) => "with-" + each);
    return [["filters", ...classes].join(" "), !limits || filters.length === 0];
  },
};

function cleanPath(path) {
  return path && path.length > 1 ? path.replace(/\/+$/, "") : "/";
}

// What the controls show for an address; the server says what is wrong with one that fits nothing.
function fromAddress(search, limits) {
  const given = new URLSearchParams(search || "");
  const own = [given.get("from"), given.get("to")];
  const isOwn = own.every((day) => /^\d{4}-\d\d-\d\d$/.test(day || ""));
  const preset = isOwn ? presetOf(own, limits) : given.get("period") || limits.default;
  return {
    search: search || "",
    preset: preset in limits.presets ? preset : "",
    days: isOwn ? own : limits.presets[preset] || [null, null],
    countries: given.getAll("country"),
  };
}

// The address for what a person chose; nothing while a range lacks its second day.
function fromControls(search, preset, days, countries, limits, touched) {
  const given = new URLSearchParams(search || "");
  if (touched.includes("days.value")) {
    if (!Array.isArray(days) || days.length !== 2 || !days.every(Boolean)) return null;
    preset = presetOf(days, limits);
  } else if (touched.includes("preset.value") && preset in limits.presets) {
    days = limits.presets[preset];
  }
  ["period", "from", "to", "country"].forEach((name) => given.delete(name));
  if (preset === "" && Array.isArray(days) && days.every(Boolean)) {
    given.set("from", days[0]);
    given.set("to", days[1]);
  } else if (preset && preset !== limits.default) {
    given.set("period", preset);
  }
  (countries || []).forEach((country) => given.append("country", country));
  const text = given.toString();
  return { search: text ? "?" + text : "", preset, days, countries: countries || [] };
}

// The longest preset of these days; empty for days of one's own choice.
function presetOf(days, limits) {
  const names = Object.keys(limits.presets).filter(
    (each) => String(limits.presets[each]) === String(days)
  );
  return names.includes(limits.default) ? limits.default : names.pop() || "";
}
