"""A document as a web page that stands by itself. Everything in it is escaped. Pure."""

import base64

from jinja2 import Environment, select_autoescape

from hub.report.document import Document
from hub.report.references import marks

_PAGE = """\
{%- macro refs(one) %}{% if one.refs %}<sup>{% for text in one.refs|marks -%}
<a href="#r{{ one.refs[loop.index0][0] }}">{{ text }}</a>{{ ", " if not loop.last }}{% endfor %}</sup>{% endif %}
{%- endmacro -%}
{%- macro word(one) %}{% if one.new and d.new %}<span class="word">{{ d.new }}</span>{% endif %}{% endmacro -%}
<!DOCTYPE html>
<html lang="{{ d.language }}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{ d.title }}</title>
<style>
body{margin:0 auto;padding:16px;max-width:52rem;color:#000;background:#fff;font:17px/1.4 sans-serif}
h1{margin:0 0 .5rem}h2{margin:2rem 0 .5rem}h3{margin:1.2rem 0 .4rem}
.banner{padding:.4rem;background:#000;color:#fff;text-align:center;font-weight:bold;letter-spacing:.2em}
table{width:100%;border-collapse:collapse}th{text-align:left;font-size:.8rem}
td,th{padding:.3rem;border-bottom:1px solid #000;vertical-align:top;white-space:pre-line;overflow-wrap:anywhere}
td.large{font-size:1.1rem;font-weight:bold;overflow-wrap:break-word}.marked,.leads{font-weight:bold}p{white-space:pre-line}
p.marked{border:2px solid #000;padding:.4rem}tr.marked td{background:#000;color:#fff}
img{max-width:100%;margin:.5rem 0}.new{border-left:5px solid #000;padding-left:.5rem}
.word{background:#000;color:#fff;font-size:.7rem;padding:0 .3rem;margin-right:.4rem;letter-spacing:.05em}
.written{border:1px dashed #000;padding:.4rem .6rem}sup{font-size:.7rem}sup a{color:#000}tr:target td{background:#ddd}
@media print{body{padding:0}.banner{position:fixed;top:0;left:0;right:0;margin:0}.banner~h1{margin-top:3rem}
tr,img{break-inside:avoid}h2,h3{break-after:avoid}}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.2rem 1rem;margin:0}
dt{font-weight:bold}dd{margin:0;overflow-wrap:anywhere}
</style></head>
<body>
{%- if d.banner %}<div class="banner">{{ d.banner }}</div>{% endif %}
<h1>{{ d.title }}</h1>
<dl>{% for line in d.head %}<dt>{{ line.name }}</dt><dd>{{ line.value }}</dd>{% endfor %}</dl>
{%- for section in d.sections %}
{%- if section.title %}
{% if section.level == 1 %}<h2>{{ section.title }}</h2>{% else %}<h3>{{ section.title }}</h3>{% endif %}
{%- endif %}
{%- for block in section.blocks %}
{%- if block.rows is defined %}
<table><colgroup>
{%- for width in block.widths %}<col style="width:{{ (100 * width / block.widths|sum)|round(1) }}%">
{%- endfor %}</colgroup>
{%- if block.heads|join %}<tr>{% for head in block.heads %}<th>{{ head }}</th>{% endfor %}</tr>{% endif %}
{%- for row in block.rows %}
<tr{% if row.marked %} class="marked"{% endif %}{% if row.anchor %} id="r{{ row.anchor }}"{% endif %}>
{%- for cell in row.cells -%}
<td{% if loop.index0 in block.large %} class="large"
{%- elif row.new and loop.index0 == block.main %} class="new"{% endif %}>
{%- if loop.index0 == block.main %}{{ word(row) }}{{ cell }}{{ refs(row) }}{% else %}{{ cell }}{% endif %}</td>
{%- endfor %}</tr>
{%- endfor %}
</table>
{%- elif block.svg is defined %}
<p><img alt="{{ block.alt }}" src="data:image/svg+xml;base64,{{ block.svg|base64 }}">{{ refs(block) }}</p>
{%- else %}
<p{% if block.marked %} class="marked"{% elif block.leads %} class="leads"{% elif block.written %} class="written"
{%- elif block.new %} class="new"{% endif %}>{{ word(block) }}{{ block.text }}{{ refs(block) }}</p>
{%- endif %}
{%- endfor %}
{%- endfor %}
<p><strong>{{ d.classification }}</strong></p>
{%- if d.banner %}<div class="banner">{{ d.banner }}</div>{% endif %}
</body>
</html>
"""


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


_environment = Environment(autoescape=select_autoescape(default_for_string=True, default=True))
_environment.filters["marks"] = marks
_environment.filters["base64"] = _base64  # a drawing goes in as an image, in which nothing runs
_template = _environment.from_string(_PAGE)


def html_of(document: Document) -> str:
    return _template.render(d=document)
