"""The processor that results are made on, as results/processor.txt names it:

python -m tests.workflow.processor > results/processor.txt        (when a whole build is committed)
"""

from cellar.engine.run_record import processor

if __name__ == "__main__":
    print(processor())
