"""Data sets: where raw files come from, in which layout, and how images become a model's input."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from cellar.config.section import Count, FilePath, Fraction, Section, exactly_one

Probability = Annotated[float, Field(ge=0, le=1)]


class SyntheticSpec(Section):
    """Numbers of synthetic images: for each split (RAF-DB and CIFAR-100 have no validation split of their own), or, for
    the layout `identity_folder`, of people and of images for each."""

    seed: Annotated[int, Field(ge=0)]
    train: Annotated[int, Field(ge=70)] = 0
    validation: Annotated[int, Field(ge=0)] = 0
    test: Annotated[int, Field(ge=70)] = 0
    identities: Annotated[int, Field(ge=2)] = 0
    per_identity: Annotated[int, Field(ge=3)] = 0

    @model_validator(mode="after")
    def one_kind(self) -> Self:
        given = self.model_fields_set - {"seed"}
        if given - {"validation"} == {"train", "test"} or given == {"identities", "per_identity"}:
            return self
        raise ValueError("say either train and test (and validation), or identities and per_identity")

    @model_serializer(mode="wrap")
    def without_zeros(self, handler: SerializerFunctionWrapHandler) -> dict[str, int]:
        """Zeros are left out, so that the dump can be read back."""
        values: dict[str, int] = handler(self)
        return {key: value for key, value in values.items() if value or key == "seed"}


class Source(Section):
    """Where raw files come from: exactly one of synthetic, url (with sha256), torchvision, kaggle, manual (what to do
    by hand)."""

    synthetic: SyntheticSpec | None = None
    url: str | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    torchvision: Literal["CIFAR100"] | None = None
    kaggle: str | None = None
    manual: str | None = None

    @model_validator(mode="after")
    def one_way(self) -> Self:
        exactly_one(self, ("synthetic", "url", "torchvision", "kaggle", "manual"))
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self


class RandomAugmentation(Section):
    """Probabilities of the transforms of a view, in their order (cellar.data.inputs.random_augmentation says what each does).

    The Pins study names all six; its code has 0.5, 0.5, 0.5, 0.1, 0 and 0.
    """

    rotation: Probability
    scaling: Probability
    flip: Probability
    blur: Probability
    jitter: Probability
    erasing: Probability


def check_augmentation(value: object) -> object:
    """A mistake in the probabilities is said where it is, not for each of the ways that were possible."""
    if isinstance(value, dict):
        return RandomAugmentation.model_validate(value)
    if isinstance(value, RandomAugmentation) or value in ("flip", "crop_flip"):
        return value
    raise ValueError("say flip, crop_flip, or the probabilities of rotation, scaling, flip, blur, jitter and erasing")


Augmentation = Annotated[Literal["flip", "crop_flip"] | RandomAugmentation, BeforeValidator(check_augmentation)]


class Dataset(Section):
    """`input_size` is the side, in pixels, that models see; `validation_fraction` and `split_seed` serve
    the layouts that come without a validation split; `checksums` serves CIFAR-100's pickles; `train_per_class` and
    `validation_per_class` serve identity_folder, where the rest is test. `drop_leaked` leaves out
    the training and validation images that are copies of test images (cellar.data.audit)."""

    enabled: bool
    layout: Literal["fer2013", "raf_db", "cifar100", "image_folder", "identity_folder"]
    path: FilePath
    input_size: Annotated[int, Field(ge=8)]
    augmentation: Augmentation
    normalisation: Literal["imagenet", "cifar100", "unit", "vggface2"]
    source: Source
    validation_fraction: Fraction = 0.1
    train_per_class: Count | None = None
    validation_per_class: Annotated[int, Field(ge=0)] | None = None
    split_seed: Annotated[int, Field(ge=0)] = 0
    checksums: Literal["official", "any"] = "official"
    drop_leaked: bool = False

    @model_validator(mode="after")
    def split_by_class(self) -> Self:
        given = [key for key in ("train_per_class", "validation_per_class") if getattr(self, key) is not None]
        if self.layout == "identity_folder" and len(given) < 2:
            raise ValueError("layout identity_folder needs train_per_class and validation_per_class (which may be 0)")
        if self.layout != "identity_folder" and given:
            raise ValueError(f"{given[0]} serves layout identity_folder only, not {self.layout}: take it out")
        return self

    @model_validator(mode="after")
    def synthetic_as_laid_out(self) -> Self:
        spec, by_person = self.source.synthetic, self.layout == "identity_folder"
        if spec is None:
            return self
        if by_person != bool(spec.identities):
            keys = "identities and per_identity" if by_person else "train and test"
            raise ValueError(f"layout {self.layout} needs {keys} under source.synthetic")
        least = (self.train_per_class or 0) + (self.validation_per_class or 0) + 1
        if by_person and spec.per_identity < least:
            raise ValueError(f"per_identity is {spec.per_identity}, but the splits need {least} images a class")
        return self
