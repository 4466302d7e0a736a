"""A replay's difference to what happened as a web page that stands by itself: no script, all text escaped. Pure."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime
from jinja2 import Environment, select_autoescape

from hub.drill.difference import Change, Difference, Group, Matter, Run, Side, groups
from hub.drill.difference_words import WORDS, left_over
from hub.model.events import BY_HAND
from hub.model.people import Language
from hub.people.directory import Directory
from hub.playbook.lengths import span

Titles = Mapping[str, Mapping[Language, str]]
_LOCALE = {Language.FR: "fr_BE", Language.NL: "nl_BE", Language.DE: "de_BE", Language.EN: "en_GB"}
_PAGE = """\
<!DOCTYPE html>
<html lang="{{ language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ w.title }}</title>
<style>
body{margin:0 auto;padding:16px;max-width:68rem;color:#111;background:#fff;font:16px/1.45 system-ui,sans-serif}
h1{margin:0 0 .3rem;line-height:1.15}h2{margin:2rem 0 .5rem}h3{margin:0;font-size:1.05rem}p{margin:.3rem 0}
.totals{display:flex;flex-wrap:wrap;gap:.6rem;margin:1rem 0;padding:0;list-style:none}
.totals li{border:1px solid #888;padding:.4rem .8rem;min-width:6.5rem}.totals b{display:block;font-size:1.6rem;line-height:1.1}
.wide{overflow-x:auto}table{border-collapse:collapse;width:100%}
th{text-align:left;font-size:.8rem;font-weight:600}td,th{padding:.25rem .5rem;border-bottom:1px solid #bbb;vertical-align:top}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.loads tr.moved td{font-weight:600}
.people{table-layout:fixed}.people th:nth-child(1){width:34%}.people th:nth-child(2){width:11%}.people th:nth-child(5){width:14%}
.people td{overflow-wrap:anywhere}.people tr:not(.moved){color:#666}
article{border:1px solid #888;margin:.8rem 0;padding:.6rem .8rem;break-inside:avoid}
article.only-now{border-left:8px solid #111}article.no-longer{border-left:8px double #111}
article.otherwise{border-left:8px dotted #111}
.tag{display:inline-block;border:1px solid #111;padding:0 .4rem;font-size:.8rem;font-weight:600;white-space:nowrap}
.only-now>.tag,td .only-now{background:#111;color:#fff}.no-longer>.tag{text-decoration:line-through}
.key{color:#444}.side{color:#444;font-size:.9rem}.assumed{border:2px solid #111;padding:.6rem 1rem;margin-top:2rem}
small{color:#444}
@media (max-width:640px){.people th{display:none}.people,.people tbody,.people tr,.people td{display:block;border:0}
.people tr{border-bottom:1px solid #bbb;padding:.3rem 0}.people td{padding:.05rem 0}.people td:first-child{font-weight:600}
.people td.then:before{content:attr(data-side) ": "}.people td.now:before{content:attr(data-side) ": "}}
@media print{body{max-width:none;padding:0;font-size:11pt}details:not([open])>*{display:block}}
</style></head>
<body>
<h1>{{ w.title }}</h1>
<p>{{ period }} · {{ fed }}</p>
<p>{{ w.sheets }}: {{ sheets }}</p>
<h2>{{ w.incidents }}</h2>
<ul class="totals">{% for name, count in totals %}<li><b>{{ count }}</b>{{ name }}</li>{% endfor %}</ul>
{%- if nothing %}<p><strong>{{ w.all_same }}</strong></p>{% endif %}
{%- for matter in matters %}
<article class="{{ matter.change }}"><h3>{{ matter.at }} · {{ matter.title }}</h3> <span class="tag">{{ matter.word }}</span>
{%- if matter.key %} <span class="key">{{ matter.key }}</span>{% endif %}
{%- for line in matter.lines %}<p class="side">{{ line }}</p>{% endfor %}
{%- if matter.people %}
<div class="wide"><table class="people"><tr><th>{{ w.person }}</th><th>{{ w.what }}</th><th>{{ w.then }}</th><th>{{ w.now }}</th><th>{{ w.in_what }}</th></tr>
{%- for one in matter.people %}
<tr{% if one.moved %} class="moved"{% endif %}><td>{{ one.name }}</td><td>{{ one.kind }}</td><td class="then" data-side="{{ w.then }}">{{ one.then }}</td><td class="now" data-side="{{ w.now }}">{{ one.now }}</td><td>{{ one.change }}</td></tr>
{%- endfor %}
</table></div>
{%- endif %}
</article>
{%- endfor %}
{%- if same %}
<details><summary>{{ same|length }} {{ w.the_same }}</summary><ul>
{%- for line in same %}<li>{{ line }}</li>{% endfor %}</ul></details>
{%- endif %}
{%- for heading, head, rows in loads %}{% if rows %}
<h2>{{ heading }}</h2>
<div class="wide"><table class="loads"><tr>{% for cell in head %}<th{% if not loop.first %} class="n"{% endif %}>{{ cell }}</th>{% endfor %}</tr>
{%- for moved, cells in rows %}
<tr{% if moved %} class="moved"{% endif %}>{% for cell in cells %}<td{% if not loop.first %} class="n"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}</table></div>
{%- endif %}{% endfor %}
<section class="assumed"><h2 style="margin-top:0">{{ w.assumed }}</h2><p>{{ w.assumed_lead }}</p>
<ul>{% for line in assumed %}<li>{{ line }}</li>{% endfor %}</ul>
{%- for line in left_over %}<p>{{ line }}</p>{% endfor %}</section>
</body>
</html>
"""  # noqa: E501 # a template's lines are as long as its rows
_template = Environment(autoescape=select_autoescape(default_for_string=True, default=True)).from_string(_PAGE)


def page_of(found: Difference, language: Language, directory: Directory, titles: Titles, zone: str) -> str:
    """The page. Names of people are the directory's; who is not in it any more stands there by their id."""
    return _Page(found, language, directory, titles, zone).render()


class _Page:
    def __init__(self, found: Difference, language: Language, directory: Directory, titles: Titles, zone: str) -> None:
        self._found = found
        self._language = language
        self._words = WORDS[language]
        self._directory = directory
        self._titles = titles
        self._zone = ZoneInfo(zone)

    def render(self) -> str:
        found, w = self._found, self._words
        counts = found.counts
        period = w["period"].format(
            since=self._at(found.since), until=self._at(found.until), zone=self._zone.key
        )  # fmt: skip
        changed = [m for m in found.matters if m.change is not Change.SAME]
        return _template.render(
            language=self._language,
            w=w,
            period=period,
            fed=w["fed"].format(signals=counts.signals, facts=counts.facts),
            sheets=self._sheets(),
            totals=[(w[change], found.count(change)) for change in Change],
            nothing=not changed,
            matters=[self._matter(m) for m in changed],
            same=[self._line(m) for m in found.matters if m.change is Change.SAME],
            loads=[self._people(), self._by_sheet()],
            assumed=[w[assumed] for assumed in found.assumed],
            left_over=left_over(found.counts, self._language),
        )

    # --- parts ---------------------------------------------------------------------------------------------

    def _sheets(self) -> str:
        sheets, w = self._found.sheets, self._words
        parts = [
            f"{w[word]}: {', '.join(map(self._title, names))}"
            for word, names in (("changed", sheets.changed), ("new", sheets.new), ("gone", sheets.gone))
            if names
        ]
        return "; ".join([*parts, w["unchanged"].format(n=sheets.same)])

    def _matter(self, matter: Matter) -> dict[str, Any]:
        return {
            "at": self._at(matter.at),
            "change": matter.change,
            "word": self._words[matter.change],
            "title": self._title(matter.playbook),
            "key": ", ".join([*_key(matter), *([matter.status] if matter.status != "Actual" else [])]),
            "lines": self._runs(matter),
            "people": [self._group(group) for group in groups(matter.people)],
        }

    def _line(self, matter: Matter) -> str:
        return " · ".join([self._at(matter.at), self._title(matter.playbook), *_key(matter)])

    def _runs(self, matter: Matter) -> list[str]:
        then, now, w = matter.then, matter.now, self._words
        lines = []
        if then is not None and now is not None and then.playbook != now.playbook:
            titles = {"now": self._title(now.playbook), "then": self._title(then.playbook)}
            lines.append(w["in_place"].format(**titles))
        said = {side: self._run(run) if run is not None else "" for side, run in (("then", then), ("now", now))}
        if said["then"] == said["now"]:
            return [*lines, said["now"]] if said["now"] else lines
        return lines + [f"{w[side]}: {text}" for side, text in said.items() if text]

    def _run(self, run: Run) -> str:
        w = self._words
        parts = [w["signals"].format(n=run.signals)] if run.signals > 1 else []
        parts += [w["shadow"]] if run.shadow else []
        parts += [w["held"]] if run.held else []
        parts += [w["accepted"].format(people=", ".join(map(self._name, run.accepted)))] if run.accepted else []
        chains = ", ".join(dict.fromkeys(run.exhausted))
        parts += [w["exhausted"].format(chains=chains)] if chains else []
        return " · ".join(parts)

    def _group(self, group: Group) -> dict[str, Any]:
        w, one = self._words, group.like
        differs = [w[what].format(span=span(one.shift_s or 0.0, self._language)) for what in one.differs]
        return {
            "name": ", ".join(self._name(person) if person else w["audience"] for person in group.people),
            "kind": w[one.kind],
            "then": self._side(one.then, group.spoken_then),
            "now": self._side(one.now, group.spoken_now),
            "change": ", ".join(differs) or w[one.change],
            "moved": one.change is not Change.SAME,
        }

    def _side(self, side: Side | None, spoken: tuple[str, ...]) -> str:
        if side is None:
            return "–"
        w = self._words
        parts = [f"{side.at.astimezone(self._zone):%H:%M:%S}", ", ".join(side.channels)]
        parts += [", ".join(spoken).upper()] if spoken else []
        parts += [", ".join(side.messages)]
        parts += [w["n_times"].format(n=side.times)] if side.times > len(side.channels) else []
        parts += [w["n_people"].format(n=side.people)] if side.people > 1 else []
        return " · ".join(parts)

    def _people(self) -> tuple[str, list[str], list[tuple[bool, list[str]]]]:
        w = self._words
        head = [w["person"], *(f"{w[kind]}, {w[side]}" for kind in ("asked_head", "told_head") for side in _SIDES)]
        rows = []
        for load in self._found.by_person:
            figures = (load.asked_then, load.asked_now, load.told_then, load.told_now)
            rows.append((not load.same, [self._name(load.name), *map(str, figures)]))
        return w["by_person"], head, rows

    def _by_sheet(self) -> tuple[str, list[str], list[tuple[bool, list[str]]]]:
        w = self._words
        kinds = ("opened", "asked_head", "told_head")
        head = [w["sheet"], *(f"{w[kind]}, {w[side]}" for kind in kinds for side in _SIDES)]
        rows = []
        for load in self._found.by_sheet:
            figures = (
                load.incidents_then, load.incidents_now, load.asked_then, load.asked_now, load.told_then, load.told_now,
            )  # fmt: skip
            rows.append((not load.same, [self._title(load.name), *map(str, figures)]))
        return w["by_sheet"], head, rows

    # --- words ---------------------------------------------------------------------------------------------

    def _at(self, at: datetime) -> str:
        pattern = "EEE d MMM y, HH:mm" if self._language is not Language.DE else "EEE, d. MMM y, HH:mm"
        return format_datetime(at.astimezone(self._zone), pattern, locale=_LOCALE[self._language])

    def _name(self, person: str) -> str:
        known = self._directory.person(person)
        return known.name if known is not None else person

    def _title(self, sheet: str) -> str:
        return self._titles.get(sheet, {}).get(self._language, sheet)


_SIDES = ("then", "now")


def _key(matter: Matter) -> list[str]:
    return [part for part in matter.key if part and part != BY_HAND]
