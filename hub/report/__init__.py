"""Reports: data → one document → PDF, HTML, text. One content (pure), several renderers.

document.py is what they share; words.py what it says in four languages; call_list.py and contacts.py make documents of
the directory; pdf.py, html.py and text.py show them.
"""
