"""Training from labels alone: teachers, and students without a teacher.

Class-weighted cross-entropy (Mini-ResEmoteNet, eq. 5), or binary cross-entropy (small-dataset study, section 6.2 of its
text; its code has cross-entropy). The recipe says which (`task_loss`), and whether classes are weighted.

Teacher: none. Sampler: every image once per epoch. Evaluation: accuracy and loss (Classifier).
"""

from torch import Tensor
from torch.nn import functional

from cellar.engine.train_data import TrainData
from cellar.engine.training import Batch, Losses
from cellar.methods.base import Classifier, cross_entropy


class Labels(Classifier):
    can_start = True
    class_weights: Tensor | None = None  # (C,)
    task_loss = "ce"

    def prepare(self, data: TrainData) -> None:
        self.class_weights, self.task_loss = data.class_weights, data.settings.recipe.task_loss

    def loss(self, output: Tensor, batch: Batch) -> Losses:
        """output: logits (B, C)."""
        if self.task_loss == "bce":
            return {"loss": binary_cross_entropy(output, batch.labels)}
        return {"loss": cross_entropy(output, batch.labels, self.class_weights)}


def binary_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Each class is a separate binary decision: mean over images and classes of -y log σ(z) - (1 - y) log(1 - σ(z)).

    logits (B, C), labels (B,), of which y is the one-hot form (B, C); float32 throughout.
    """
    one_hot = functional.one_hot(labels, logits.shape[1]).float()
    return functional.binary_cross_entropy_with_logits(logits.float(), one_hot)


METHOD = Labels
