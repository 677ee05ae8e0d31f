"""What a stranger's file is called, and as what it is passed on."""

import pytest

from webhook.api.attachment import attachment_headers, safe_content_type


def disposition(filename, kind="document", content_type="application/pdf"):
    headers = attachment_headers(filename=filename, kind=kind, content_type=content_type)
    return headers["Content-Disposition"]


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("fattura 12.pdf", 'attachment; filename="fattura 12.pdf"'),
        ("../../etc/passwd", 'attachment; filename="passwd"'),
        ("C:\\Windows\\a.exe", 'attachment; filename="a.exe"'),
        (".bashrc", 'attachment; filename="bashrc"'),
        ("..", 'attachment; filename="document.pdf"'),
        ("", 'attachment; filename="document.pdf"'),
        (None, 'attachment; filename="document.pdf"'),
        ('a"; filename="b.pdf', 'attachment; filename="a__ filename=_b.pdf"'),
        ("a\r\nSet-Cookie: x=1.pdf", 'attachment; filename="a Set-Cookie_ x=1.pdf"'),
        ("a\x00b.pdf", 'attachment; filename="a b.pdf"'),
        ("à é.pdf", "attachment; filename=\"a e.pdf\"; filename*=UTF-8''%C3%A0%20%C3%A9.pdf"),
        ("文件", "attachment; filename=\"file\"; filename*=UTF-8''%E6%96%87%E4%BB%B6"),
        ("exe\u202efdp.pdf", 'attachment; filename="exe fdp.pdf"'),
        ("a\u2044b.pdf", "attachment; filename=\"ab.pdf\"; filename*=UTF-8''a%E2%81%84b.pdf"),
        ("a\uff0fb.pdf", "attachment; filename=\"a_b.pdf\"; filename*=UTF-8''a%EF%BC%8Fb.pdf"),
    ],
)
def test_a_name_is_a_name_and_never_a_path_or_a_header(filename, expected):
    assert disposition(filename) == expected


def test_a_long_name_keeps_its_extension():
    assert disposition("x" * 400 + ".pdf") == f'attachment; filename="{"x" * 116}.pdf"'
    assert disposition("x" * 400) == f'attachment; filename="{"x" * 120}"'
    assert disposition("x." + "y" * 400) == f'attachment; filename="x.{"y" * 118}"'


def test_a_file_without_a_name_is_called_by_its_kind():
    assert disposition(None, "image", "image/jpeg") == 'attachment; filename="image.jpg"'
    assert disposition(None, "audio", "audio/ogg; codecs=opus").startswith('attachment; filename="audio.')
    assert disposition(None, "image", "made/up") == 'attachment; filename="image"'


def test_a_file_is_saved_and_never_shown_or_kept():
    headers = attachment_headers(filename="a.html", kind="document", content_type="text/html")

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"] == "sandbox"
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("good", ["image/jpeg", "audio/ogg; codecs=opus", "text/plain;charset=utf-8", "a/b"])
def test_what_looks_like_a_type_is_passed_on(good):
    assert safe_content_type(good, "image/png") == good


@pytest.mark.parametrize(
    "bad", [None, "", "image", "a/b\r\nX: y", "a/b; c", "a/b, c/d", "è/è", "a/b/c", "a b/c"]
)
def test_what_does_not_look_like_one_gives_way(bad):
    assert safe_content_type(bad, "image/png") == "image/png"
    assert safe_content_type(bad, None) == "application/octet-stream"
