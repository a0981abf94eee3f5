"""Data sets: where raw files come from, in which layout, and how images become a model's input."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from cellar.config.section import Count, FilePath, Fraction, OneOf, Section

# What is subtracted from the pixels, and what they are divided by (cellar.data.inputs.augmentation)
Normalisation = Literal["imagenet", "cifar100", "symmetric", "unit", "vggface2"]
Probability = Annotated[float, Field(ge=0, le=1)]


class SyntheticSpec(Section):
    """Numbers of synthetic images: for each split (RAF-DB and CIFAR-100 have no validation split of their own), or, for
    the layout `identity_folder`, of people and of images for each."""

    seed: Annotated[int, Field(ge=0)]  # seed of the images
    train: Annotated[int, Field(ge=70)] = 0  # number of training images
    validation: Annotated[int, Field(ge=0)] = 0  # number of validation images
    test: Annotated[int, Field(ge=70)] = 0  # number of test images
    identities: Annotated[int, Field(ge=2)] = 0  # number of people
    per_identity: Annotated[int, Field(ge=3)] = 0  # images of each person

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


class Source(OneOf):
    """Where raw files come from: exactly one of synthetic, url (with sha256), torchvision, kaggle, manual (what to do
    by hand)."""

    ways: ClassVar = ("synthetic", "url", "torchvision", "kaggle", "manual")

    synthetic: SyntheticSpec | None = None  # made here
    url: str | None = None  # an archive to download; give sha256 too
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None  # checksum of the archive at url
    torchvision: Literal["CIFAR100"] | None = None  # a data set that torchvision downloads
    kaggle: str | None = None  # a data set of Kaggle, as OWNER/NAME
    manual: str | None = None  # what to do by hand

    @model_validator(mode="after")
    def url_with_checksum(self) -> Self:
        if (self.url is None) != (self.sha256 is None):
            raise ValueError("url and sha256 belong together: a download is only taken with its checksum")
        return self


class RandomAugmentation(Section):
    """Probabilities of the transforms of a view, in their order (cellar.data.inputs.random_augmentation says what each does).

    The Pins study names all six; its code has 0.5, 0.5, 0.5, 0.1, 0 and 0.
    """

    rotation: Probability  # probability of a rotation
    scaling: Probability  # probability of a scaled image
    flip: Probability  # probability of a mirrored image
    blur: Probability  # probability of a blurred image
    jitter: Probability  # probability of other colours
    erasing: Probability  # probability of an erased rectangle


def check_augmentation(value: object) -> object:
    """A mistake in the probabilities is said where it is, not for each of the ways that were possible."""
    if isinstance(value, dict):
        return RandomAugmentation.model_validate(value)
    if isinstance(value, RandomAugmentation) or value in ("flip", "crop_flip"):
        return value
    raise ValueError("say flip, crop_flip, or the probabilities of rotation, scaling, flip, blur, jitter and erasing")


Augmentation = Annotated[Literal["flip", "crop_flip"] | RandomAugmentation, BeforeValidator(check_augmentation)]


class Dataset(Section):
    """Labelled images, and how they become a model's input."""

    enabled: bool  # false switches it off: what uses it reads "not run", the rest is built
    layout: Literal["fer2013", "raf_db", "cifar100", "image_folder", "identity_folder"]  # how its files are laid out
    path: FilePath  # the folder of its raw files; data/raw/sample/NAME where they are synthetic
    input_size: Annotated[int, Field(ge=8)]  # side in pixels that models see
    # flip (2 views of an image), crop_flip (162: a crop of the image padded by 4 pixels, mirrored or not), or the
    # probabilities of random transforms
    augmentation: Augmentation
    normalisation: Normalisation  # how pixel values are scaled
    source: Source  # where the raw files come from
    # share of the training images that is held out, for layouts that come without a validation split
    validation_fraction: Fraction = 0.1
    train_per_class: Count | None = None  # training images of a class, for identity_folder
    # validation images of a class, for identity_folder, where the rest is test
    validation_per_class: Annotated[int, Field(ge=0)] | None = None
    min_per_class: Count | None = None  # leaves out the classes with fewer images, for identity_folder
    split_seed: Annotated[int, Field(ge=0)] = 0  # seed of the choice of held-out images
    checksums: Literal["official", "any"] = "official"  # any admits a copy of CIFAR-100 with other checksums
    drop_leaked: bool = False  # true leaves out training and validation images that are copies of test images
    greyscale: bool = False  # true turns all images grey; models see them in three equal channels

    @property
    def is_synthetic(self) -> bool:
        """Whether its images are made here; nothing that they give is judged by a paper's numbers."""
        return self.source.synthetic is not None

    @property
    def is_grey(self) -> bool:
        """Whether models see grey images: FER2013's are, others' where they are turned."""
        return self.greyscale or self.layout == "fer2013"

    @model_validator(mode="after")
    def split_by_class(self) -> Self:
        given = [key for key in ("train_per_class", "validation_per_class") if getattr(self, key) is not None]
        if self.layout == "identity_folder" and len(given) < 2:
            raise ValueError("layout identity_folder needs train_per_class and validation_per_class (which may be 0)")
        given += [] if self.min_per_class is None else ["min_per_class"]
        if self.layout != "identity_folder" and given:
            raise ValueError(f"{given[0]} serves layout identity_folder only, not {self.layout}: take it out")
        if self.min_per_class is not None and self.min_per_class < self.images_needed:
            raise ValueError(
                f"min_per_class is {self.min_per_class}, but the splits need {self.images_needed} images a class"
            )
        return self

    @property
    def images_needed(self) -> int:
        """Images of each class that the splits of identity_folder need: one is for testing."""
        return (self.train_per_class or 0) + (self.validation_per_class or 0) + 1

    @model_validator(mode="after")
    def synthetic_as_laid_out(self) -> Self:
        spec, by_person = self.source.synthetic, self.layout == "identity_folder"
        if spec is None:
            return self
        if by_person != bool(spec.identities):
            keys = "identities and per_identity" if by_person else "train and test"
            raise ValueError(f"layout {self.layout} needs {keys} under source.synthetic")
        if by_person and spec.per_identity < self.images_needed:
            raise ValueError(
                f"per_identity is {spec.per_identity}, but the splits need {self.images_needed} images a class"
            )
        return self
