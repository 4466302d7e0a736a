"""Mails as bad programs, careless people and attackers send them, each with a fault of its own."""

import base64
import gzip
import io
import zipfile

FROM = b"From: Dispatch <dispatch@siamu.example>\r\nTo: permanence@example.org\r\n"
DATE = b"Date: Tue, 14 Jul 2026 02:10:00 +0200\r\n"
ID = b"Message-ID: <n@siamu.example>\r\n"
HEAD = FROM + DATE + ID


def bomb() -> bytes:
    """A zip of 200 MB of nothing, in 200 kB."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("a.txt", "w") as inside:
        for _ in range(200):
            inside.write(bytes(1_000_000))
    return out.getvalue()


def attached(name: str, media_type: str, data: bytes, text: str = "see the file") -> bytes:
    parts = [
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\n\r\n' + text.encode(),
        b"\r\n--b\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n" % media_type.encode(),
        b'Content-Disposition: attachment; filename="%s"\r\n\r\n' % name.encode(),
        base64.encodebytes(data),
        b"\r\n--b--\r\n",
    ]
    return HEAD + b"Subject: a file\r\n" + b"".join(parts)


def nested(depth: int) -> bytes:
    """multipart in multipart in multipart."""
    out = HEAD + b"Subject: deep\r\n"
    for n in range(depth):
        out += b'Content-Type: multipart/mixed; boundary="%d"\r\n\r\n--%d\r\n' % (n, n)
    return out + b"Content-Type: text/plain\r\n\r\nat the bottom\r\n"


NASTY: dict[str, tuple[bytes, str, str]] = {
    # name: (mail, what its headline holds, what its description holds)
    "no header at all": (b"\r\nfuite de gaz rue Haute\r\n", "fuite de gaz", "rue Haute"),
    "no empty line behind the headers": (HEAD + b"Subject: gaz", "gaz", ""),
    "bare line feeds": (HEAD.replace(b"\r\n", b"\n") + b"Subject: gaz\n\nrue\n", "gaz", "rue"),
    "bare carriage returns": (HEAD + b"Subject: gaz\r\n\r\none\rtwo\r", "gaz", "one"),
    "8-bit subject in Latin-1": (HEAD + "Subject: Évacuation à Forêt\r\n\r\nx".encode("latin-1"), "Évacuation à", "x"),
    "8-bit subject in UTF-8": (HEAD + "Subject: Évacuation\r\n\r\nx".encode(), "Évacuation", "x"),
    "an encoded word cut within a letter": (
        HEAD + b"Subject: =?utf-8?b?w4k=?=\r\n =?utf-8?q?vacuation_de_l=C3?=\r\n =?utf-8?q?=A9cole?=\r\n\r\nx",
        "Évacuation de lécole",
        "x",
    ),
    "an encoded word in a charset nobody knows": (HEAD + b"Subject: =?x-none?q?gaz?=\r\n\r\nx", "gaz", "x"),
    "an encoded word whose base64 is none": (HEAD + b"Subject: gaz =?utf-8?b?!!!?=\r\n\r\nx", "gaz", "x"),
    "a charset that is wrong": (
        HEAD + b"Subject: a\r\nContent-Type: text/plain; charset=iso-8859-1\r\n\r\n" + "évacuée".encode(),
        "a",
        "évacuée",
    ),
    "a charset that is missing": (
        HEAD + b"Subject: a\r\nContent-Type: text/plain\r\n\r\n" + "évacuée".encode("cp1252"),
        "a",
        "évacuée",
    ),
    "a charset that is no charset": (
        HEAD + b"Subject: a\r\nContent-Type: text/plain; charset=rot13\r\n\r\nvillage",
        "a",
        "village",
    ),
    "UTF-7 that hides a script": (
        HEAD + b"Subject: a\r\nContent-Type: text/html; charset=utf-7\r\n\r\n+ADw-script+AD4-",
        "a",
        "+ADw-script",
    ),
    "quoted-printable that breaks off": (
        HEAD + b"Subject: a\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n=C3=A9vacu=\r\n=E9 =Z",
        "a",
        "vacu",
    ),
    "base64 with rubbish in it": (
        HEAD + b"Subject: a\r\nContent-Transfer-Encoding: base64\r\n\r\ncnVl****IEhhdXRl",
        "a",
        "rue",
    ),
    "an encoding nobody knows": (
        HEAD + b"Subject: a\r\nContent-Transfer-Encoding: x-none\r\n\r\nrue Haute",
        "a",
        "rue Haute",
    ),
    "a boundary that never comes": (
        HEAD + b'Subject: a\r\nContent-Type: multipart/mixed; boundary="zzz"\r\n\r\nrue Haute',
        "a",
        "",
    ),
    "no boundary": (HEAD + b"Subject: a\r\nContent-Type: multipart/mixed\r\n\r\nrue Haute", "a", ""),
    "cut off within a part": (attached("plan.pdf", "application/pdf", bytes(9000))[:700], "a file", "see the file"),
    "fifteen deep": (nested(15), "deep", "at the bottom"),
    "a header of 200 kB": (HEAD + b"Subject: gaz\r\nX-Long: " + b"a" * 200_000 + b"\r\n\r\nx", "gaz", "x"),
    "10,000 headers": (HEAD + b"Subject: gaz\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\nx", "gaz", "x"),
    "comments in comments in From": (
        b"From: " + b"(" * 5000 + b"\r\nSubject: gaz\r\n" + DATE + b"\r\nx",
        "gaz",
        "x",
    ),
    "two subjects": (HEAD + b"Subject: gaz\r\nSubject: rien\r\n\r\nx", "gaz", "x"),
    "a subject that reads backwards": (
        HEAD + "Subject: gaz \u202eexe.fdp\r\n\r\nx".encode(),
        "gaz",
        "x",
    ),
    "only HTML": (
        HEAD
        + b"Subject: a\r\nContent-Type: text/html\r\n\r\n<style>p{}</style><p>rue&nbsp;Haute<br>12<script>x</script>",
        "a",
        "rue Haute\n12",
    ),
    "HTML of 3,000 tags in one another": (
        HEAD + b"Subject: a\r\nContent-Type: text/html\r\n\r\n" + b"<div>" * 3000 + b"rue Haute",
        "a",
        "",
    ),
    "an alternative whose plain part is empty": (
        HEAD
        + b"Subject: a\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\n \r\n--b\r\n"
        + b"Content-Type: text/html\r\n\r\n<p>rue Haute\r\n--b--",
        "a",
        "rue Haute",
    ),
    "winmail.dat": (
        attached("winmail.dat", "application/ms-tnef", b"\x78\x9f\x3e\x22" + bytes(200), ""),
        "a file",
        "",
    ),
    "a date that is none": (FROM + ID + b"Date: someday\r\nSubject: gaz\r\n\r\nx", "gaz", "x"),
    "a date in the year 99999": (FROM + ID + b"Date: 1 Jan 99999 00:00:00 +0000\r\nSubject: gaz\r\n\r\nx", "gaz", "x"),
    "a file name that climbs": (
        attached("../../etc/passwd", "text/plain", b"x"),
        "a file",
        "see the file",
    ),
    "NUL bytes": (HEAD + b"Subject: g\x00az\r\n\r\nrue\x00 Haute", "gaz", "rue Haute"),
    "gzip of gzip": (
        attached("a.gz.gz", "application/gzip", gzip.compress(gzip.compress(bytes(1_000_000)))),
        "a file",
        "see the file",
    ),
}
