// The filter bar and the address: a click on a control changes the address, the address the controls.
window.dash_clientside = window.dash_clientside || {};
window.dash_clientside.filters = {
  keep: function (search, preset, days, countries, source, comparison, limits) {
    const keep = window.dash_clientside.no_update;
    const nothing = Array(6).fill(keep);
    if (!limits) return nothing;
    const controls = ["preset", "days", "countries", "source", "comparison"].map(
      (each) => each + ".value"
    );
    const chosen = { preset, days, countries: countries || [], source, comparison };
    const asked = window.dash_clientside.callback_context.triggered.map((each) => each.prop_id);
    const touched = controls.filter((each) => asked.includes(each));
    const isOutside = asked.length === 0 || asked.some((each) => !controls.includes(each));
    const wanted = isOutside
      ? fromAddress(search, limits)
      : fromControls(search, chosen, limits, touched);
    if (!wanted) return nothing;
    return [
      [wanted.search, search || ""],
      [wanted.preset, preset],
      [wanted.days, days],
      [wanted.countries, countries || []],
      [wanted.source, source],
      [wanted.comparison, comparison],
    ].map(([now, before]) => (JSON.stringify(now) === JSON.stringify(before) ? keep : now));
  },

  drill: function (clicked, search) {
    const point = clicked && clicked.points && clicked.points[0];
    if (!point || !point.customdata || point.customdata.length < 3) {
      return window.dash_clientside.no_update;
    }
    const given = new URLSearchParams(search || "");
    given.delete("period");
    given.set("from", point.customdata[1]);
    given.set("to", point.customdata[2]);
    return "?" + given.toString();
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
  const isOffered = Object.hasOwn(limits.presets, preset);
  return {
    search: search || "",
    preset: isOffered ? preset : "",
    days: isOwn ? own : isOffered ? limits.presets[preset] : [null, null],
    countries: given.getAll("country"),
    source: given.get("source"),
    comparison: given.get("compare") || limits.comparison,
  };
}

// The address for what a person chose; nothing while a range lacks its second day.
function fromControls(search, chosen, limits, touched) {
  const given = new URLSearchParams(search || "");
  let { preset, days } = chosen;
  if (touched.includes("days.value")) {
    if (!Array.isArray(days) || days.length !== 2 || !days.every(Boolean)) return null;
    preset = presetOf(days, limits);
  } else if (touched.includes("preset.value") && Object.hasOwn(limits.presets, preset)) {
    days = limits.presets[preset];
  }
  ["period", "from", "to", "country", "source", "compare"].forEach((name) => given.delete(name));
  if (preset === "" && Array.isArray(days) && days.every(Boolean)) {
    given.set("from", days[0]);
    given.set("to", days[1]);
  } else if (preset && preset !== limits.default) {
    given.set("period", preset);
  }
  chosen.countries.forEach((country) => given.append("country", country));
  if (chosen.source) given.set("source", chosen.source);
  if (chosen.comparison !== limits.comparison) given.set("compare", chosen.comparison);
  const text = given.toString();
  return { ...chosen, search: text ? "?" + text : "", preset, days };
}

// The longest preset of these days; empty for days of one's own choice.
function presetOf(days, limits) {
  const names = Object.keys(limits.presets).filter(
    (each) => String(limits.presets[each]) === String(days)
  );
  return names.includes(limits.default) ? limits.default : names.pop() || "";
}
