"""A document as a web page that stands by itself. Everything in it is escaped. Pure."""

from jinja2 import Environment, select_autoescape

from hub.report.document import Document

_PAGE = """\
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
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem;margin:0}dt{font-weight:bold}dd{margin:0}
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
<table><tr>{% for head in block.heads %}<th>{{ head }}</th>{% endfor %}</tr>
{%- for row in block.rows %}
<tr{% if row.marked %} class="marked"{% endif %}>{% for cell in row.cells -%}
<td{% if loop.index0 in block.large %} class="large"{% endif %}>{{ cell }}</td>{% endfor %}</tr>
{%- endfor %}
</table>
{%- else %}
<p{% if block.marked %} class="marked"{% elif block.leads %} class="leads"{% endif %}>{{ block.text }}</p>
{%- endif %}
{%- endfor %}
{%- endfor %}
<p><strong>{{ d.classification }}</strong></p>
</body>
</html>
"""
_template = Environment(autoescape=select_autoescape(default_for_string=True, default=True)).from_string(_PAGE)


def html_of(document: Document) -> str:
    return _template.render(d=document)
