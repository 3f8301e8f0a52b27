"""Updates of two parameters: transforms of the gradients, groups, averages; and schedules by themselves."""

import keras
import numpy as np
import tensorflow as tf
import torch

from fixture_file import FixtureFile, normal, random
from layers import KERAS, TORCH

STEPS, SHAPES = 6, {"kernel": (2, 3), "bias": (3,)}


def inputs(case):
    g = random(case)
    initial = {name: normal(g, *shape) for name, shape in SHAPES.items()}
    return initial, {name: normal(g, STEPS, *shape) for name, shape in SHAPES.items()}


def keras_case(file, name, optimizer, attributes, spared=()):
    """The parameters after each step, and their averages where the optimizer keeps some."""
    case = f"update.{name}"
    initial, gradients = inputs(case)
    variables = {key: keras.Variable(value, dtype="float64", name=key) for key, value in initial.items()}
    if spared:
        optimizer.exclude_from_weight_decay(var_names=list(spared))
    optimizer.build(list(variables.values()))
    history = {key: [] for key in SHAPES}
    averages = {key: [] for key in SHAPES}
    for step in range(STEPS):
        optimizer.apply_gradients([(tf.constant(gradients[key][step]), variables[key]) for key in SHAPES])
        for index, key in enumerate(SHAPES):
            history[key].append(variables[key].numpy().copy())
            if optimizer.use_ema:
                averages[key].append(optimizer._model_variables_moving_average[index].numpy().copy())
    tensors = {}
    for key in SHAPES:
        tensors |= {f"{key}_initial": initial[key], f"{key}_gradients": gradients[key],
                    f"{key}_values": np.stack(history[key])}
        if optimizer.use_ema:
            tensors[f"{key}_averages"] = np.stack(averages[key])
    file.add(case, dict(source=KERAS, **attributes), **tensors)


def torch_clip(file):
    """PyTorch's clipping of the global norm, whose length has 1e-6 added."""
    case = "update.torch_clip_global_norm"
    initial, gradients = inputs(case)
    parameters = {key: torch.tensor(value, requires_grad=True) for key, value in initial.items()}
    optimizer = torch.optim.SGD(parameters.values(), lr=0.125)
    history = {key: [] for key in SHAPES}
    for step in range(STEPS):
        for key in SHAPES:
            parameters[key].grad = torch.tensor(gradients[key][step])
        torch.nn.utils.clip_grad_norm_(list(parameters.values()), 1.5)
        optimizer.step()
        for key in SHAPES:
            history[key].append(parameters[key].detach().numpy().copy())
    tensors = {}
    for key in SHAPES:
        tensors |= {f"{key}_initial": initial[key], f"{key}_gradients": gradients[key],
                    f"{key}_values": np.stack(history[key])}
    file.add(case, dict(source=TORCH, rule="sgd", learning_rate=0.125, clip_global_norm=1.5), **tensors)


def keras_schedule(file, name, schedule, attributes, steps=(0, 1, 2, 7, 10, 19, 20, 21, 39, 40, 41, 1000)):
    values = [float(schedule(step)) for step in steps]
    file.add(f"schedule.{name}", dict(source=KERAS, **attributes), steps=np.array(steps), values=np.array(values))


def torch_schedule(file, name, make, attributes, rate=0.5, count=40):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=rate)
    schedule = make(optimizer)
    values = []
    for _ in range(count):
        values.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    file.add(f"schedule.{name}", dict(source=TORCH, **attributes), steps=np.arange(count), values=np.array(values))


def make():
    file = FixtureFile("updates")
    sgd = lambda **extra: keras.optimizers.SGD(learning_rate=0.125, momentum=0.5, **extra)
    rule = dict(rule="sgd", learning_rate=0.125, momentum=0.5)
    keras_case(file, "clip_value", sgd(clipvalue=0.5), rule | dict(clip_value=0.5))
    keras_case(file, "clip_norm", sgd(clipnorm=1.0), rule | dict(clip_norm=1.0))
    keras_case(file, "clip_global_norm", sgd(global_clipnorm=1.5), rule | dict(clip_global_norm=1.5))
    keras_case(file, "accumulate", sgd(gradient_accumulation_steps=3), rule | dict(accumulate=3))
    keras_case(file, "average", sgd(use_ema=True, ema_momentum=0.75), rule | dict(average=0.75))
    adamw = keras.optimizers.AdamW(learning_rate=0.0625, beta_1=0.75, beta_2=0.9375, weight_decay=0.125)
    keras_case(file, "spared_bias", adamw, dict(rule="adamw", learning_rate=0.0625, beta_1=0.75, beta_2=0.9375,
               epsilon=1e-7, weight_decay=0.125, spared=True), spared=["bias"])
    torch_clip(file)

    decay = keras.optimizers.schedules
    keras_schedule(file, "cosine", decay.CosineDecay(0.5, 40, alpha=0.1), dict(schedule="cosine", first=0.5, last=0.05,
                   over=40))
    keras_schedule(file, "cosine_warm_up", decay.CosineDecay(0.0, 30, warmup_target=0.5, warmup_steps=10),
                   dict(schedule="cosine", first=0.5, last=0.0, over=30, warm_up=10))
    keras_schedule(file, "exponential", decay.ExponentialDecay(0.5, 20, 0.25), dict(schedule="exponential", first=0.5,
                   factor=0.25, every=20))
    keras_schedule(file, "stairs", decay.ExponentialDecay(0.5, 20, 0.25, staircase=True), dict(schedule="step",
                   first=0.5, factor=0.25, every=20))
    keras_schedule(file, "polynomial", decay.PolynomialDecay(0.5, 40, 0.01, power=2.0), dict(schedule="polynomial",
                   first=0.5, last=0.01, over=40, power=2))
    rates = torch.optim.lr_scheduler
    torch_schedule(file, "torch_step", lambda o: rates.StepLR(o, 7, gamma=0.5), dict(schedule="step", first=0.5,
                   factor=0.5, every=7))
    torch_schedule(file, "torch_milestones", lambda o: rates.MultiStepLR(o, [5, 20], gamma=0.1), dict(schedule="step",
                   first=0.5, factor=0.1, milestones=[5, 20]))
    torch_schedule(file, "torch_cosine", lambda o: rates.CosineAnnealingLR(o, 40, eta_min=0.1), dict(schedule="cosine",
                   first=0.5, last=0.1, over=40))
    torch_schedule(file, "torch_polynomial", lambda o: rates.PolynomialLR(o, 30, power=3.0), dict(
                   schedule="polynomial", first=0.5, last=0, over=30, power=3))
    torch_schedule(file, "torch_one_cycle", lambda o: rates.OneCycleLR(o, 0.5, total_steps=41), dict(
                   schedule="one_cycle", first=0.5, over=41))
    return file
