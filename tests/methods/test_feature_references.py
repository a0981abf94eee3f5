"""Losses of features and their gradients are those of the authors' code, for every setting in tests/reference/kd_losses."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from cellar.methods import (
    ab,
    at,
    cc,
    crd,
    fitnet,
    fsp,
    ft,
    ickd,
    nst,
    ofd,
    pkt,
    registry,
    reviewkd,
    rkd,
    semckd,
    simkd,
    sp,
    srrl,
    vid,
)
from cellar.methods.maps import Regressor, projection, size_of

from .reference import Reference, settings_of


def attention(given: Reference) -> Tensor:
    return at.attention_loss(given.maps(), given.hp("p"))


def similarity(given: Reference) -> Tensor:
    losses = [sp.similarity_loss(*pair) for pair in given.maps()]
    return sum(losses[1:], losses[0])


def relations(given: Reference) -> Tensor:
    return rkd.relational_loss(*given.vectors(), *map(given.hp, ("distance_weight", "angle_weight", "squared", "eps")))


def probabilities(given: Reference) -> Tensor:
    return pkt.probabilistic_loss(*given.vectors(), given.hp("eps"))


def correlation(given: Reference) -> Tensor:
    student, teacher = given.vectors()
    layers = cc.Embeddings(student.shape[1], teacher.shape[1], given.hp("feat_dim"))
    given.fill(layers, {"student.": "embed_s_linear.", "teacher.": "embed_t_linear."})
    return cc.correlation_loss(*layers(student, teacher))


def hints(given: Reference) -> Tensor:
    ((student, teacher),) = given.maps()
    layer = Regressor(student, teacher, given.hp("relu"))
    assert isinstance(layer.conv, nn.ConvTranspose2d if given.hp("transposed") else nn.Conv2d)
    given.fill(layer, {"conv.": "conv.", "bn.": "bn."})
    return fitnet.hint_loss(layer(student), teacher)


def reuse(given: Reference) -> simkd.Reused:
    ((student, teacher),) = given.maps()
    channels = teacher.shape[1]
    widths = student.shape[1], channels // given.hp("factor"), channels, len(given.classifier().bias)
    layer = simkd.Reused(*widths, size_of(teacher))
    given.fill(layer.projector, {"": "transfer."})
    return layer.to(given.dtype).take(given.classifier())


def reused(given: Reference) -> Tensor:
    layer = reuse(given)
    student, teacher = given.leaves["student_features_0"], given.leaves["teacher_features_0"]
    served = layer(simkd.Features((student,), (), student, student))
    if given.dtype == torch.float64:
        torch.testing.assert_close(served.logits.detach(), given.value("extra_student_prediction"))
        torch.testing.assert_close(served.vector.detach(), given.value("extra_projected_features"))
    return simkd.map_loss(served.maps[-1], teacher)


def regression(given: Reference) -> Tensor:
    on_maps = "student_features_0" in given
    student, teacher = given.maps()[0] if on_maps else given.vectors()
    layer = projection(student.shape[1], teacher.shape[1])
    given.fill(layer, {"": "Connectors." if on_maps else "transfer."})
    projected = torch.relu(layer(student if on_maps else student[:, :, None, None])).mean((2, 3))
    teacher = teacher.mean((2, 3)) if on_maps else teacher
    return srrl.regression_loss(projected, teacher, given.classifier(), given.hp("logit_weight"))


def channels(given: Reference) -> Tensor:
    ((student, teacher),) = given.maps()
    layer = projection(student.shape[1], teacher.shape[1])
    given.fill(layer, {"0.": "embed_s.conv2d.", "1.": "embed_s.l2norm."})
    loss = ickd.correlation_loss(layer(student), teacher)
    if "extra_loss_imagenet_form" in given and given.dtype == torch.float64:
        torch.testing.assert_close((loss / len(student)).detach(), given.value("extra_loss_imagenet_form"))
    return loss


def selectivity(given: Reference) -> Tensor:
    return nst.selectivity_loss(given.maps())


def likelihood(given: Reference) -> Tensor:
    losses = []
    for number, (student, teacher) in enumerate(given.maps()):
        layer = vid.Gaussian(student.shape[1], teacher.shape[1], eps=given.hp("eps"))
        given.fill(layer, {"a": f"{number}_log_scale", "regressor.": f"{number}_regressor."})
        losses.append(layer(student, teacher))
    return sum(losses[1:], losses[0])


def contrast(given: Reference) -> Tensor:
    layer = contrast_of(given)
    return layer(*given.vectors(), given.value("contrast_indices"))


def contrast_of(given: Reference) -> crd.Contrast:
    student, teacher = (given.value(f"{side}_embedding") for side in ("student", "teacher"))
    sizes = given.hp("feat_dim"), given.hp("n_data")
    layer = crd.Contrast(student.shape[1], teacher.shape[1], *sizes, *map(given.hp, ("nce_t", "nce_m", "eps")))
    given.fill(layer.student, {"": "embed_s_linear."})
    given.fill(layer.teacher, {"": "embed_t_linear."})
    layer.to(given.dtype)
    layer.student_memory.copy_(given.value("memory_v1_before"))
    layer.teacher_memory.copy_(given.value("memory_v2_before"))
    return layer


def flow(given: Reference) -> Tensor:
    student, teacher = zip(*given.maps(), strict=True)
    return fsp.flow_loss(student, teacher)


def boundaries(given: Reference) -> Tensor:
    maps, regressed = given.maps("preact_features"), []
    for number, (student, teacher) in enumerate(maps):
        layer = ab.connector(student, teacher)
        given.fill(layer, {"": f"connectors.{number}."})
        regressed.append((layer(student), teacher))
    return ab.boundary_loss(regressed, given.hp("margin"))


def factors(given: Reference) -> Tensor:
    return factors_in_form(given, "channel_means")


def factors_in_form(given: Reference, form: ft.Form) -> Tensor:
    ((student, teacher),) = given.maps()
    width = int(teacher.shape[1] * given.hp("k"))
    paraphraser, translator = ft.encoder(teacher.shape[1], width, False), ft.encoder(student.shape[1], width, True)
    given.fill(paraphraser, {"": "paraphraser_encoder."})
    given.fill(translator, {"": "translator_encoder."})
    factor = paraphraser(teacher).detach()
    if given.dtype == torch.float64:
        torch.testing.assert_close(factor, given.value("extra_teacher_factor"))
    return ft.factor_loss(translator(student), factor, form, given.hp("p2"), given.hp("p1"))


def overhaul(given: Reference) -> Tensor:
    maps, student = given.maps("preact_features"), []
    for number, (own, taught) in enumerate(maps):
        layer = ofd.connector(own.shape[1], taught.shape[1])
        given.fill(layer, {"0.": f"connector_{number}_0.", "1.": f"connector_{number}_1."})
        student.append(layer(own))
    margins = [given.value(f"extra_margin_{number}") for number in range(len(maps))]
    return ofd.partial_distance(student, [taught for _, taught in maps], margins)


def review(given: Reference) -> Tensor:
    student = reviewkd.levels([torch.empty(0), *given.leaves_of("student_features")], given.leaf("student_embedding"))
    taught = [torch.empty(0), *given.leaves_of("teacher_preact_features")]
    teacher = reviewkd.levels(taught, given.leaf("teacher_embedding"))
    layer, deepest = reviewkd.Review(student, teacher), len(student) - 1
    parts = {"inward": "conv1", "attention": "att_conv", "outward": "conv2"}
    given.fill(layer, {f"fusions.{deepest - n}.{ours}.": f"abfs_{n}.{theirs}." for n in range(deepest + 1) for ours, theirs in parts.items()})  # fmt: skip
    given.leaf("student_logits")
    return reviewkd.hierarchical_loss(layer(student), teacher)


def hierarchical(given: Reference) -> Tensor:
    return reviewkd.hierarchical_loss(given.leaves_of("student_fused_features"), given.leaves_of("teacher_features"))


def calibrated(given: Reference) -> Tensor:
    student, teacher = given.leaves_of("student_features"), given.leaves_of("teacher_features")
    layer = semckd.Calibration(student, teacher, given.hp("factor"), given.hp("soft"))
    names = {}
    for kind, theirs, count in (("queries", "query", len(student)), ("keys", "key", len(teacher))):
        for n in range(count):
            names |= {f"{kind}.{n}.0.": f"{theirs}_{n}.linear1.", f"{kind}.{n}.2.": f"{theirs}_{n}.linear2."}
    for i in range(len(student)):
        names |= {f"regressors.{i}.{j}.": f"regressor{i}{j}.regressor." for j in range(len(teacher))}
    given.fill(layer, names)
    if given.dtype == torch.float64:
        torch.testing.assert_close(layer.attention(student, teacher).detach(), given.value("extra_attention"))
    return layer(student, teacher)


LOSSES: dict[str, Callable[[Reference], Tensor]] = {
    "ab": boundaries, "at": attention, "cc": correlation, "crd": contrast, "fitnet": hints, "fsp": flow, "ft": factors,
    "ickd": channels, "nst": selectivity, "ofd": overhaul, "pkt": probabilities, "reviewkd": review,
    "reviewkd_hcl": hierarchical, "rkd": relations, "semckd": calibrated, "simkd": reused, "sp": similarity,
    "srrl": regression, "vid": likelihood,
}  # fmt: skip
SETTINGS = settings_of(*LOSSES)


def loss_of(given: Reference, name: str) -> Tensor:
    return LOSSES[name.partition("__")[0]](given)


def test_every_method_has_a_file_of_its_defaults() -> None:
    assert set(LOSSES) <= set(SETTINGS) and len(SETTINGS) >= 46


@pytest.mark.parametrize("name", SETTINGS)
def test_loss_and_gradients_are_the_authors(name: str) -> None:
    given = Reference(name)
    loss = loss_of(given, name)
    assert loss.dtype == torch.float64
    given.agrees(loss, "loss")


@pytest.mark.parametrize("name", SETTINGS)
def test_float32_is_as_exact_as_the_authors(name: str) -> None:
    given = Reference(name, torch.float32)
    assert given.is_close_in_float32(loss_of(given, name))


@pytest.mark.parametrize("name", settings_of("ft"))
def test_factors_compared_whole_are_the_authors_own_form(name: str) -> None:
    given = Reference(name)
    if "extra_loss_original_form" in given:
        loss = factors_in_form(given, "whole_factor").detach()
        torch.testing.assert_close(loss, given.value("extra_loss_original_form"))


@pytest.mark.parametrize("name", settings_of("ofd"))
def test_margins_are_the_authors_to_float32(name: str) -> None:
    given = Reference(name)
    for number in range(len(given.maps("preact_features"))):
        weight, bias = (given.value(f"teacher_bn_{number}_{part}") for part in ("weight", "bias"))
        wanted = given.value(f"extra_margin_{number}").float()
        torch.testing.assert_close(ofd.margin(weight, bias), wanted, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("name", settings_of("crd"))
def test_memories_constants_and_the_second_batch_are_the_authors(name: str) -> None:
    given = Reference(name)
    layer, compared = contrast_of(given), given.value("contrast_indices")
    layer(*given.vectors(), compared)
    constants = torch.stack([given.value("extra_Z_v1"), given.value("extra_Z_v2")])
    torch.testing.assert_close(layer.constants, constants)
    torch.testing.assert_close(layer.student_memory, given.value("extra_memory_v1_after"))
    torch.testing.assert_close(layer.teacher_memory, given.value("extra_memory_v2_after"))
    second = layer(*(given.value(f"second_step_{side}_embedding") for side in ("student", "teacher")), compared)
    torch.testing.assert_close(second.detach(), given.value("extra_second_step_loss"))


@pytest.mark.parametrize("name", settings_of("reviewkd"))
def test_the_warm_up_of_the_review_is_the_authors(name: str) -> None:
    given = Reference(name)
    weight = given.hp("loss_weight") * reviewkd.warmth(given.hp("epoch"), given.hp("warmup_epochs"))
    torch.testing.assert_close(weight * review(given).detach(), given.value("part_weighted_kd_after_warmup"))


DEFAULTS = sorted(set(LOSSES) - {"ft", "reviewkd_hcl"})


@pytest.mark.parametrize("name", DEFAULTS)
def test_default_weights_are_the_published_ones(name: str) -> None:
    given, params = Reference(name), registry.load(name).Params()
    key = "loss_weight_published" if "hp_loss_weight_published" in given else "loss_weight"
    assert params.feature_weight == given.hp(key)


def test_the_default_weight_of_factor_transfer_is_that_of_its_authors_form() -> None:
    assert ft.FT.Params().feature_weight == Reference("ft").hp("loss_weight_original_repo")
    assert ft.FT.Params().form == "whole_factor"


@pytest.mark.parametrize(
    ("loss", "shape"),
    [
        (sp.similarity_loss, (5, 6, 4, 4)),
        (pkt.probabilistic_loss, (5, 6)),
        (cc.correlation_loss, (5, 6)),
        (fitnet.hint_loss, (5, 6, 4, 4)),
        (simkd.map_loss, (5, 6, 4, 4)),
        (ickd.correlation_loss, (5, 6, 4, 4)),
        (lambda s, t: rkd.relational_loss(s, t, 25.0, 50.0), (5, 6)),
        (lambda s, t: at.attention_loss([(s, t)], 2), (5, 6, 4, 4)),
        (lambda s, t: nst.selectivity_loss([(s, t)]), (5, 6, 4, 4)),
        (lambda s, t: fsp.flow_loss([s, s * 2], [t, t * 2]), (5, 6, 4, 4)),
        (lambda s, t: ab.boundary_loss([(s, t)], 1.0), (5, 6, 4, 4)),
        (lambda s, t: ft.factor_loss(s, t, "whole_factor", 1), (5, 6, 4, 4)),
        (lambda s, t: ofd.partial_distance([s], [t], [torch.full((6,), -0.1)]), (5, 6, 4, 4)),
        (lambda s, t: reviewkd.hierarchical_loss([s], [t]), (5, 6, 4, 4)),
    ],
    ids=lambda value: "",
)  # fmt: skip
def test_half_precision_is_lifted_to_float32(loss: Callable[..., Tensor], shape: tuple[int, ...]) -> None:
    generator = torch.Generator().manual_seed(0)
    student, teacher = (torch.randn(*shape, generator=generator).bfloat16() for _ in range(2))
    found = loss(student, teacher)
    assert found.dtype == torch.float32 and torch.equal(found, loss(student.float(), teacher.float()))


def test_probabilities_of_a_vector_of_zeros_are_finite_and_it_gets_no_gradient() -> None:
    """The authors' code: not a number."""
    student = torch.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, -1.0]], requires_grad=True)
    loss = pkt.probabilistic_loss(student, torch.tensor([[1.0, 0.0], [0.0, 0.0], [2.0, 1.0]]))
    loss.backward()
    assert loss.isfinite() and student.grad.isfinite().all()
    assert torch.equal(student.grad[0], torch.zeros(2)) and student.grad[1:].abs().min() > 0


@pytest.mark.parametrize("seed", range(20))
def test_probabilities_of_opposite_vectors_are_finite(seed: int) -> None:
    """Their cosine is rounded below -1 for some; the authors' code then takes the logarithm of a negative number."""
    vector = torch.randn(1, 7, generator=torch.Generator().manual_seed(seed))
    student = torch.cat([vector, -vector, vector * 3, vector * -5]).requires_grad_()
    loss = pkt.probabilistic_loss(student, torch.eye(4))
    loss.backward()
    assert loss.isfinite() and student.grad.isfinite().all()
    assert (pkt.affinities(student, pkt.EPS) >= 0).all()


def test_equal_features_are_at_no_distance() -> None:
    maps = torch.randn(4, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    for loss in (sp.similarity_loss, ickd.correlation_loss, fitnet.hint_loss):
        assert loss(maps, maps).item() == 0
    assert (
        rkd.relational_loss(maps, maps, 1, 1).item() == 0 and pkt.probabilistic_loss(maps[:, 0, 0], maps[:, 0, 0]) == 0
    )
