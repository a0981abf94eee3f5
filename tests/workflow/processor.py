"""The processor that results are made on, as results/processor.txt names it:

python -m tests.workflow.processor > results/processor.txt        (when a whole build is committed)
"""

from pathlib import Path


def processor() -> str:
    """Name, family and model, as Linux has them: virtual machines give many models one name."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    known = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}
    return f"{known.get('model name')}, family {known.get('cpu family')}, model {known.get('model')}"


if __name__ == "__main__":
    print(processor())
