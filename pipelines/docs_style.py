"""Style and script of the docs page: light, dark and phones; a search that works without network.

In: nothing. Out: texts that `pipelines.docs_site` puts into the page.
"""

HEAD = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">"
)
"""The browser itself refuses whatever would leave the page."""

STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #ffffff; --quiet: #5b6575;
  --line: #d9dee6; --link: #0a5a86; --shade: #f4f6f9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7ebf2; --paper: #14181f; --quiet: #a3adbd;
  --line: #333c4a; --link: #8ccbe8; --shade: #1c222c; } }
* { box-sizing: border-box; } html { scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 1.5rem 1rem 4rem; max-width: 84rem; color: var(--ink);
  background: var(--paper); font: 16px/1.5 system-ui, sans-serif; overflow-wrap: anywhere; }
a { color: var(--link); } h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; } p { margin: .4rem 0; }
.quiet, small { color: var(--quiet); } small { font-size: .85rem; display: block; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: 1rem 0; }
input { width: 100%; max-width: 28rem; padding: .5rem .7rem; font: inherit; color: inherit;
  background: var(--shade); border: 1px solid var(--quiet); border-radius: .4rem; }
.wide { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; }
.wide svg { display: block; }
.entry { border-top: 1px solid var(--line); padding: .55rem .5rem; }
.entry:target { background: var(--shade); }
summary { cursor: pointer; } .entry > summary code { font-weight: 600; }
.count { float: right; color: var(--quiet); font-variant-numeric: tabular-nums; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: .8rem 0; }
dt { color: var(--quiet); } dd { margin: 0; }
.item { display: inline-block; margin-right: .9rem; }
table { width: 100%; border-collapse: collapse; margin: .6rem 0; }
th, td { text-align: left; vertical-align: top; padding: .4rem .6rem .4rem 0;
  border-bottom: 1px solid var(--line); }
th { font-size: .85rem; color: var(--quiet); font-weight: 600; }
td:nth-child(1) { width: 20%; } td:nth-child(2) { width: 14%; } td:nth-child(3) { width: 34%; }
pre { overflow-x: auto; padding: .8rem; background: var(--shade); border-radius: .4rem;
  font-size: .85rem; overflow-wrap: normal; }
code, pre { font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
.sql > summary { color: var(--quiet); }
@media (max-width: 44rem) {
  thead { position: absolute; left: -99rem; }
  tr, td, td:nth-child(n) { display: block; width: auto; }
  tr { padding: .5rem 0; border-bottom: 1px solid var(--line); }
  td { border: 0; padding: .1rem 0; } td:empty { display: none; }
  .count { float: none; display: block; } dl { grid-template-columns: 1fr; gap: 0; }
  dd { margin-bottom: .4rem; }
}
"""

SCRIPT = """
const entries = [...document.querySelectorAll('.entry')];
const open = () => {
  const found = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (found && found.matches('.entry')) {
    found.hidden = false;
    found.open = true;
    found.scrollIntoView();
  }
};
addEventListener('hashchange', open);
const box = document.createElement('input');
box.type = 'search';
box.placeholder = 'Find a table, a column or a word';
box.setAttribute('aria-label', box.placeholder);
const texts = entries.map((each) => each.textContent.toLowerCase());
box.addEventListener('input', () => {
  const word = box.value.trim().toLowerCase();
  entries.forEach((each, place) => { each.hidden = !texts[place].includes(word); });
});
document.getElementById('search').append(box);
open();
"""
