"""The story of a drill as a web page that stands by itself: read without a script, on paper, in black and white, and
without seeing the picture. Everything in it is escaped. Pure."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_date
from jinja2 import Environment, select_autoescape
from markupsafe import Markup
from msgspec import Struct

from hub.drill.debrief import Debriefing
from hub.drill.lanes import BREAK_S, strips_of
from hub.drill.story import SHOWN, SIGNS, Item, Names, Story
from hub.drill.timeline import clock
from hub.drill.words import DrillWords, span

_STYLE = """
:root{--ink:#111;--soft:#555;--line:#bbb;--bad:#a30000;--good:#005f2b;--fill:#e8edf3}
*{box-sizing:border-box}
body{margin:0 auto;padding:12px 16px 3rem;max-width:1180px;color:var(--ink);background:#fff;font:16px/1.45 sans-serif}
h1{margin:.2rem 0 .4rem;font-size:1.7rem;line-height:1.2}h2{margin:2rem 0 .5rem;font-size:1.25rem}
.banner{padding:.4rem;background:#111;color:#fff;text-align:center;font-weight:bold;letter-spacing:.2em}
dl{display:flex;flex-wrap:wrap;gap:.1rem 1.5rem;margin:0}dl div{display:flex;gap:.5rem}dt{color:var(--soft)}
dd{margin:0;font-weight:bold}.soft{color:var(--soft)}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;margin:.5rem 0;padding:0;list-style:none;font-size:.9rem}
.key li{display:flex;align-items:center;gap:.4rem}.key svg{width:26px;height:20px}
figure{margin:0 0 1rem;overflow-x:auto;border-top:2px solid var(--ink)}
figure:focus-visible{outline:3px solid #1a56c4}
figure svg{display:block;width:100%;min-width:720px;height:auto}
svg text{font:11px sans-serif;fill:var(--ink)}svg .head{font-weight:bold;font-size:10px;letter-spacing:.06em}
svg .n{font-size:10px;text-anchor:middle}svg .at{font-size:10px;text-anchor:middle}
svg .gap{font-size:9px;text-anchor:middle;fill:var(--soft)}
.lane{stroke:#ddd;stroke-width:1}.bar{fill:var(--fill);stroke:#7b8794;stroke-width:.8}
.outage{fill:url(#hatch);stroke:var(--bad);stroke-width:1}
.m{fill:#fff;stroke:var(--ink);stroke-width:1.3}.m.yes{fill:#d9efe0;stroke:var(--good);stroke-width:2.2}
.m.no{stroke:var(--bad);stroke-width:2.2;stroke-dasharray:3 2}.m.missed{fill:var(--bad);stroke:var(--bad)}
.missed+.n{fill:#fff;font-weight:bold}.m.other{stroke:#7b8794;stroke-width:.8}
.break{stroke:var(--soft);stroke-dasharray:2 3}
table{width:100%;border-collapse:collapse;font-size:.95rem}
th{text-align:left;font-size:.8rem;border-bottom:2px solid var(--ink)}
td,th{padding:.3rem .5rem .3rem 0;vertical-align:top;overflow-wrap:anywhere}td{border-bottom:1px solid var(--line)}
td.num,th.num,.nw{white-space:nowrap}tr.missed td:first-child{border-left:5px solid var(--bad);padding-left:.3rem}
tr.yes td:first-child{border-left:5px double var(--good);padding-left:.3rem}tr:target td{background:#fff3c4}
td p{margin:.15rem 0 0;white-space:pre-line;font-size:.88rem}td p span{color:var(--soft);font-size:.85em}
td .who{display:block;font-size:.85rem;color:var(--soft)}
tr.quiet td{text-align:center;color:var(--soft);font-style:italic}
@media(max-width:600px){body{padding:8px 10px 2rem;font-size:15px}h1{font-size:1.35rem}.rel{display:none}
 table.debrief thead{display:none}table.debrief td{display:inline;border:0;padding-right:.6rem}
 table.debrief tr{display:block;padding:.4rem 0;border-bottom:1px solid var(--line)}
 table.debrief tr td:first-child{display:block;font-weight:bold}}
@media print{@page{size:auto;margin:12mm}body{max-width:none;padding:0;font-size:10pt}h2{break-after:avoid}
 figure{overflow:visible;break-inside:avoid}figure svg{min-width:0;max-height:178mm}figure.low:first-of-type svg{
 max-height:126mm}h1{font-size:15pt}h2{margin:5mm 0 1mm;font-size:11.5pt}p{margin:1mm 0}.key{margin:1mm 0}
 table{font-size:8.5pt}td p{font-size:8pt;margin:0}td,th{padding:.6mm 2mm .6mm 0}tr{break-inside:avoid}a{color:inherit;
 text-decoration:none}
 thead{display:table-header-group}.banner,.m.missed,tr.missed td:first-child,tr.yes td:first-child,.bar,.outage
 {print-color-adjust:exact;-webkit-print-color-adjust:exact}.bar{fill:#eee}
 .m.missed{fill:#000;stroke:#000}.m.yes{fill:#fff;stroke:#000;stroke-width:2.6}.m.no{stroke:#000}}
"""

_SHAPES = """\
{%- macro shape(mark, x, y, n) -%}
{%- if mark == "call" or mark == "yes" or mark == "no" %}<ellipse class="m {{ mark }}" cx="{{ x }}" cy="{{ y }}" \
rx="11" ry="8"/>
{%- elif mark == "missed" %}<path class="m missed" d="M{{ x - 11 }} {{ y }}L{{ x }} {{ y - 9.5 }}L{{ x + 11 }} {{ y }}\
L{{ x }} {{ y + 9.5 }}Z"/>
{%- elif mark == "message" %}<rect class="m message" x="{{ x - 10.5 }}" y="{{ y - 7.5 }}" width="21" height="15"/>
{%- else %}<rect class="m other" x="{{ x - 10.5 }}" y="{{ y - 7.5 }}" width="21" height="15" rx="7"/>
{%- endif %}<text class="n" x="{{ x }}" y="{{ y + 3.5 }}">{{ n }}</text>
{%- endmacro -%}
{%- macro number(n) %}<a href="#n{{ n }}">{{ w("no") }} {{ n }}</a>{% endmacro -%}
"""

_PAGE = (
    _SHAPES
    + """\
<!DOCTYPE html>
<html lang="{{ w.language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ story.title }}</title>
<style>{{ style }}</style></head>
<body>
{%- if banner %}<div class="banner">{{ banner }}</div>{% endif %}
<main>
<h1>{{ story.title }}</h1>
<dl><div><dt>{{ w("begins") }}</dt><dd>{{ day(story.begins) }} {{ story.begins.strftime("%H:%M") }}</dd></div>
<div><dt>{{ w("lasts") }}</dt><dd>{{ span(story.lasted_s) }}</dd></div></dl>
{%- for note in notes %}<p>{{ note }}</p>{% endfor %}
<h2>{{ w("picture") }}</h2>
<p class="soft">{{ w("reading") }}</p>
<ul class="key" aria-hidden="true">
{%- for mark, key in marks %}
<li><svg viewBox="0 0 26 20">{{ shape(mark, 13, 10, "7") }}</svg>{{ w(key) }}</li>
{%- endfor %}
</ul>
<svg width="0" height="0" aria-hidden="true" style="position:absolute"><defs><pattern id="hatch" width="5" height="5" \
patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path d="M0 0V5" stroke="#a30000" stroke-width="1.5"/>\
</pattern></defs></svg>
{%- for strip in strips %}
{%- set says = w("picture_says", start=moment(strip.start), end=moment(strip.end)) %}
<figure{% if strip.height < 600 %} class="low"{% endif %} tabindex="0" role="group" aria-label="{{ says }}">
<svg viewBox="0 0 800 {{ strip.height }}" preserveAspectRatio="xMinYMin" role="img" aria-label="{{ says }}">
<text class="head" x="0" y="12">{{ day(strip.start) }}</text>
{%- for tick in strip.ticks %}
{%- if tick.gap_s %}
<line class="break" x1="{{ tick.x }}" x2="{{ tick.x }}" y1="22" y2="{{ strip.height }}"/>
<text class="gap" x="{{ tick.x }}" y="20">⋯ {{ span(tick.gap_s) }}</text>
{%- else %}
<text class="at" x="{{ tick.x }}" y="10">{{ tick.at.strftime(":%S" if tick.short else "%H:%M") }}</text>
{%- endif %}
{%- endfor %}
{%- for section in strip.sections %}
<text class="head" x="0" y="{{ section.y }}">{{ w(section.part.value).upper() }}</text>
{%- for lane in section.lanes %}
<g><title>{{ lane.names|join(", ") }}</title><text x="0" y="{{ lane.y + 4 }}">{{ lane.name }}</text></g>
<line class="lane" x1="160" x2="800" y1="{{ lane.y }}" y2="{{ lane.y }}"/>
{%- for bar in lane.bars %}
<rect class="{{ "outage" if bar.outage else "bar" }}" x="{{ bar.x }}" y="{{ lane.y - 6 }}" width="{{ bar.width }}" \
height="12"/>
{%- endfor %}
{%- for placed in lane.marks %}
<g><title>{{ placed.item.n }} · {{ placed.item.at.strftime("%H:%M:%S") }} · {{ placed.item.text }}
{%- for language, text in placed.item.words %}
{{ language }}: {{ text }}{% endfor %}</title>
{{- shape(placed.item.mark.value, placed.x, lane.y, placed.item.n) }}</g>
{%- endfor %}
{%- endfor %}
{%- endfor %}
</svg></figure>
{%- endfor %}
{%- if debriefing %}
<h2>{{ w("debrief") }}</h2>
<table class="debrief"><thead><tr><th>{{ w("who") }}</th><th>{{ w("asked_at") }}</th><th>{{ w("by") }}</th>
<th>{{ w("answer") }}</th><th>{{ w("took") }}</th></tr></thead><tbody>
{%- for ask in debriefing.asks %}
<tr class="{{ "yes" if ask.answer == "accept" else "missed" if not ask.answer and ask.outcome in ("expired", \
"unreachable") }}"><td>{{ names.person(ask.person) }} <span class="soft">{{ ask.step }}</span></td>
<td class="nw">{{ when(ask.asked_s) }}</td><td>{{ channels(ask) }}</td>
<td>{{ w(ask.answer) if ask.answer else w(ask.outcome) if ask.outcome else w("unanswered") }}</td>
<td class="nw">{{ span(ask.took_s) if ask.took_s is not none else "–" }}</td></tr>
{%- endfor %}
</tbody></table>
<h2>{{ w("was_late") }}</h2>
{%- if late %}<ul>{% for line in late %}<li>{{ line }}</li>{% endfor %}</ul>{% else %}<p>{{ w("nothing_late") }}</p>\
{% endif %}
<h2>{{ w("channels_by") }}</h2>
<table><thead><tr><th>{{ w("channel") }}</th><th class="num">{{ w("reached_n") }}</th>\
<th class="num">{{ w("people_n") }}</th><th class="num">{{ w("missed_n") }}</th><th>{{ w("half") }}</th></tr></thead>
<tbody>
{%- for one in debriefing.channels %}
<tr><td>{{ w(one.channel) }}</td><td>{{ one.reached }}</td><td>{{ one.people }}</td><td>{{ one.missed }}</td>
<td>{{ one.answered }}{% if one.half_s is not none %}, {{ span(one.half_s) }}{% endif %}</td></tr>
{%- endfor %}
</tbody></table>
{%- endif %}
<h2>{{ w("story") }}</h2>
<table><thead><tr><th class="num">{{ w("no") }}</th><th class="num">{{ w("time") }}</th>
<th class="num rel">{{ w("after") }}</th><th>{{ w("what") }}</th></tr></thead><tbody>
{%- for row in rows %}
{%- if row.quiet_s %}
<tr class="quiet"><td colspan="4">⋯ {{ w("quiet", span=span(row.quiet_s)) }}</td></tr>
{%- endif %}
<tr id="n{{ row.item.n }}" class="{{ row.item.mark.value }}"><td class="num">{{ row.item.n }}</td>
<td class="num">{% if row.day %}{{ row.day }}<br>{% endif %}{{ row.item.at.strftime("%H:%M:%S") }}</td>
<td class="num rel">{{ clock(row.item.s) }}</td><td>{{ sign[row.item.mark] }} {{ row.item.text }}
{%- if row.item.lanes|length > shown %}<span class="who">
{%- if row.people %}{{ w("people") }} = {{ number(row.people) }}{% else %}{{ row.item.lanes|join(", ") }}{% endif -%}
</span>
{%- endif %}
{%- if row.same %}<p>= {{ number(row.same) }}</p>
{%- else %}{% for language, text in row.item.words %}<p><span>{{ language }}</span> {{ text }}</p>{% endfor %}
{%- endif %}</td></tr>
{%- endfor %}
</tbody></table>
</main>
</body>
</html>
"""
)
_environment = Environment(autoescape=select_autoescape(default_for_string=True, default=True), trim_blocks=False)
_template = _environment.from_string(_PAGE)

_KEY = (
    ("message", "mark_message"),
    ("call", "mark_call"),
    ("yes", "mark_yes"),
    ("no", "mark_no"),
    ("missed", "mark_missed"),
    ("other", "mark_other"),
)


def page_of(
    story: Story,
    debriefing: Debriefing,
    words: DrillWords,
    names: Names,
    *,
    banner: str = "",
    notes: Sequence[str] = (),
) -> str:
    """HTML. `banner`: in large letters at the top; `notes`: what is to be known before reading."""

    def when(s: float | None) -> str:
        return "–" if s is None else f"{(story.begins + timedelta(seconds=s)).astimezone(zone):%H:%M:%S}"

    def day(at: datetime) -> str:
        return str(format_date(at.date(), "EEE d MMM y", locale=words.language))

    zone = ZoneInfo(names.zone)
    return _template.render(
        w=words,
        story=story,
        style=Markup(_STYLE),  # noqa: S704 # a constant of this file
        banner=banner,
        notes=notes,
        marks=_KEY,
        strips=strips_of(story, "+ {n}"),
        debriefing=debriefing if debriefing.asks or debriefing.channels else None,
        late=late_lines(debriefing, words, names),
        rows=_rows(story, day),
        names=names,
        sign=SIGNS,
        shown=SHOWN,
        span=span,
        clock=clock,
        when=when,
        day=day,
        moment=lambda at: f"{day(at)} {at:%H:%M}",
        channels=lambda ask: ", ".join(words(channel) for channel in ask.channels) or "–",
    )


class _Row(Struct, frozen=True, kw_only=True):
    """`quiet_s`: how long nothing happened before; `day`: where another begins; `same`, `people`: the
    item that had the same words, and the same people, already."""

    item: Item
    same: int = 0
    people: int = 0
    quiet_s: float = 0.0
    day: str = ""


def _rows(story: Story, day: Callable[[datetime], str]) -> list[_Row]:
    rows: list[_Row] = []
    said: dict[tuple[tuple[str, str], ...], int] = {}
    told: dict[tuple[str, ...], int] = {}
    before: Item | None = None
    for item in story.items:
        quiet_s = item.s - before.s if before is not None else 0.0
        new = before is None or before.at.date() != item.at.date()
        people = told.setdefault(item.lanes, item.n)
        same = said.setdefault(item.words, item.n) if item.words else 0
        rows.append(
            _Row(
                item=item,
                same=same if same != item.n else 0,
                people=people if people != item.n else 0,
                quiet_s=quiet_s if quiet_s >= BREAK_S else 0.0,
                day=day(item.at) if new else "",
            )
        )
        before = item
    return rows


def late_lines(debriefing: Debriefing, words: DrillWords, names: Names) -> list[str]:
    """What was late, and who was not reached, a line each."""
    lines = [words("task_late", n=n, step=f"{step} ({incident})") for incident, step, n in debriefing.late_tasks]
    for ask in debriefing.asks:
        key = {"expired": "no_answer", "unreachable": "never"}.get(ask.outcome)
        if ask.late:
            key = "too_late"
        if key is not None:
            lines.append(f"{words(key, person=names.person(ask.person))} ({ask.step})")
    missed: dict[tuple[str, str], list[str]] = {}
    for person, channel, why in debriefing.missed:
        missed.setdefault((channel, why), []).append(names.person(person))
    for (channel, why), people in missed.items():
        told = ", ".join(dict.fromkeys(people))
        lines.append(words("missed", people=told, channel=words(channel), why=words(why)))
    return list(dict.fromkeys(lines))
