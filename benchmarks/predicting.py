"""Frames a second of `cellar predict`, and of a package in use, on one video of 640 x 480 with one face.

    python benchmarks/predicting.py PHOTOGRAPHS [MODEL]

PHOTOGRAPHS: a folder of portraits (the Pins data set); MODEL: a student, else the one in runs. FER=the python of an
environment with the package fer, which is left out without it. Decoding is included, starting is not. Rounds in turn, medians:
frames a second, which needs a machine without other work, and frames for each second of the processor, which hardly depends
on it. Writes results/bench/predicting.json.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from faces import SCENE, portraits, scenes
from keeping import keep

STUDENT, FRAMES, ROUNDS = "runs/fer2013-scratch_c.onnx", 300, 3
Rates = tuple[float, float]  # frames a second, frames for each second of the processor

OTHER = """
import sys, time, cv2
from fer.fer import FER
detector = FER(mtcnn=sys.argv[2] == "mtcnn")
capture = cv2.VideoCapture(sys.argv[1])
detector.detect_emotions(capture.read()[1])
frames, wall, cpu = 0, time.perf_counter(), time.process_time()
while frames < 60:
    there, image = capture.read()
    detector.detect_emotions(image)
    frames += 1
print(frames / (time.perf_counter() - wall), frames / (time.process_time() - cpu))
"""


def video(folder: str, photographs: Path) -> Path:
    import cv2

    path = Path(folder) / "one_face.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 30, SCENE[::-1])
    for scene, _ in scenes(portraits(photographs)[:1] * FRAMES, 220):
        writer.write(scene)
    writer.release()
    return path


def ours(model: str, path: Path, threads: int) -> Rates:
    from cellar.deployment import frames
    from cellar.deployment.prediction import Predictor

    predictor, (source,) = Predictor(Path(model), threads), frames.sources([str(path)])
    wall, cpu = time.perf_counter(), time.process_time()
    faces = sum(len(predictor.find(frame.image)) for frame in source.read())
    assert faces == FRAMES, f"{faces} faces in {FRAMES} frames"
    return FRAMES / (time.perf_counter() - wall), FRAMES / (time.process_time() - cpu)


def fer(path: Path, detector: str) -> Rates:
    command = [os.environ["FER"], "-c", OTHER, str(path), detector]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    wall, cpu = map(float, done.stdout.split()[-2:])
    return wall, cpu


def one_round(model: str, path: Path) -> Iterator[tuple[str, Rates]]:
    for threads in (1, 2):
        yield f"cellar predict, threads: {threads}", ours(model, path, threads)
    for detector in ("haar", "mtcnn") if "FER" in os.environ else ():
        yield f"fer, {detector}", fer(path, detector)


def main(photographs: str, model: str = STUDENT) -> None:
    import cv2

    rates: dict[str, list[Rates]] = {}
    with tempfile.TemporaryDirectory() as folder:
        path = video(folder, Path(photographs))
        for _ in range(ROUNDS):
            for what, found in one_round(model, path):
                rates.setdefault(what, []).append(found)
                print(what, *found, flush=True)
    rows = [{"what": what, **summary(found)} for what, found in rates.items()]
    keep("predicting", {"rounds": ROUNDS, "opencv": cv2.__version__, "student": model, "rows": rows})


def summary(found: list[Rates]) -> dict[str, float | list[float]]:
    """Medians, and all rounds in the order they were run."""
    wall, cpu = ([round(rate, 1) for rate in rates] for rates in zip(*found, strict=True))
    medians = {"frames_per_second": statistics.median(wall), "frames_per_core_second": statistics.median(cpu)}
    return medians | {"rounds": wall}


if __name__ == "__main__":
    main(*sys.argv[1:])
