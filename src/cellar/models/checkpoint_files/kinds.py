"""What a file is that holds no weights to read, told by its first bytes, and what to do about it."""

from pathlib import Path

HEAD = 512  # bytes looked at
TAR = slice(257, 262)
PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"7z\xbc\xaf\x27\x1c": "7-Zip",
    b"Rar!": "RAR",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}
PAGES = (b"<!doctype html", b"<html", b"<head", b"<?xml")
STATE_DICT = "torch.save(model.state_dict(), ...)"
FOREIGN = {
    b"version https://git-lfs": "is a pointer of Git LFS, not the file it stands for; run git lfs pull where it is from, "
    "or download the file itself",
    b"outs:": "is a pointer of DVC, not the file it stands for; run dvc pull where it is from",
    b"\x89HDF\r\n\x1a\n": f"is an HDF5 file, as Keras writes; give a state dict of PyTorch: {STATE_DICT}",
    b"GGUF": f"is a GGUF file; give a state dict of PyTorch: {STATE_DICT}",
    b"MATLAB 5.0": f"is a file of MATLAB; give a state dict of PyTorch: {STATE_DICT}",
    b"\x93NUMPY": "is one array of NumPy, without names; give a state dict",
    b'{"': "is JSON (settings, or a list of files), not weights; give the weights file beside it",
    b"{\n": "is JSON (settings, or a list of files), not weights; give the weights file beside it",
}


def foreign(path: Path) -> str:
    """Why `path` can hold no weights, and what to do, as the rest of a sentence; "" when nothing speaks against it."""
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return "is empty; get it again"
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(PAGES):
        return (
            "is a web page, as a download saves it that asks for a login or a confirmation; "
            "download the file itself with a browser"
        )
    for sign, words in FOREIGN.items():
        if head.startswith(sign):
            return words
    for sign, name in PACKED.items():
        if head.startswith(sign):
            return f"is packed by {name}; unpack it, and give the weights file in it"
    if head[TAR] == b"ustar":
        return "is a tar archive; unpack it, and give the weights file in it"
    if is_onnx(path, head):
        return (
            f"is an ONNX model, whose weights have other names; give the state dict that it was made of: {STATE_DICT}"
        )
    return ""


def is_onnx(path: Path, head: bytes) -> bool:
    """A protocol buffer whose first fields are its version and who wrote it."""
    return path.suffix == ".onnx" or (head[:1] == b"\x08" and any(name in head[:64] for name in (b"pytorch", b"onnx")))
