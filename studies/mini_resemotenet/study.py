"""Mini-ResEmoteNet: three small students of ResEmoteNet on two data sets of facial expressions."""

from cellar.studies import Study, TableSpec

from .checks import CHECKS
from .claims import CLAIMS
from .figures import FIGURES
from .printed import DATASETS, KEY, images
from .sweeps import TEXT
from .tables import table_i, table_ii, table_iii, table_iv, table_v, table_vi
from .trainings import printed_training

CODE = ("printed.py", "trainings.py", "tables")

STUDY = Study(
    key=KEY,
    title="Mini-ResEmoteNet: Leveraging Knowledge Distillation for Human-Centered Design",
    name="Mini-ResEmoteNet",
    tables=(
        TableSpec("table_i", table_i.build, table_i.inputs, code=CODE),
        TableSpec("table_ii", table_ii.build, table_ii.inputs, code=CODE),
        TableSpec("table_iii", table_iii.build, table_iii.inputs, table_iii.shown_params, code=CODE),
        TableSpec("table_iv", table_iv.build, table_iv.inputs, table_iv.shown_params, table_iv.judged, code=CODE),
        TableSpec("table_v", table_v.build, table_v.inputs, table_v.shown_params, table_v.judged, code=CODE),
        TableSpec("table_vi", table_vi.build, table_vi.inputs, table_vi.shown_params, table_vi.judged, code=CODE),
    ),
    figures=FIGURES,
    checks=CHECKS,
    claims=CLAIMS,
    networks={
        **dict.fromkeys(("resemotenet", "resemotenet_a", "resemotenet_b", "resemotenet_c"), 7),
        # networks that Table I counts under other names
        "torchvision:resnet34(7)": 7,
        "torchvision:vgg19_bn(7)": 7,
        "torchvision:vit_l_16(1000)": 1000,
    },
    datasets=tuple(DATASETS),
    images="faces",
    printed_images=images,
    trainings=printed_training,
    sweeps=TEXT,
    short_ids=True,
    order=1,
)
