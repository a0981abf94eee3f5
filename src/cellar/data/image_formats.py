"""What a picture file is that is not read here, by its first bytes or its name: a message names it and what to do."""

BRANDS = {"HEIC": (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), "AVIF": (b"avif", b"avis")}
MAGIC = (
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"8BPS", "Photoshop"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\x00\x00\x01\x00", "icon"),
    (b"<svg", "SVG"),
    (b"%PDF", "PDF"),
    (b"P5\n", "PGM"),
    (b"P6\n", "PPM"),
)
SUFFIXES = {
    ".heic": "HEIC", ".heif": "HEIC", ".avif": "AVIF", ".gif": "GIF", ".tif": "TIFF", ".tiff": "TIFF", ".jxl": "JPEG XL",
    ".jp2": "JPEG 2000", ".jfif": "JPEG", ".ppm": "PPM", ".pgm": "PGM", ".svg": "SVG", ".psd": "Photoshop", ".ico": "icon",
}  # fmt: skip


def by_content(start: bytes) -> str | None:
    """The format of a file that begins with `start`, if it is one that people have and that is not read here."""
    if start[4:8] == b"ftyp":
        return next((name for name, brands in BRANDS.items() if start[8:12] in brands), None)
    return next((name for magic, name in MAGIC if start.startswith(magic)), None)


def by_name(suffix: str) -> str | None:
    return SUFFIXES.get(suffix.lower())


def remedy(name: str) -> str:
    return "rename it to .jpg" if name == "JPEG" else "convert it to PNG or JPEG"
