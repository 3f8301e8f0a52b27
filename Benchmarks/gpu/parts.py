"""What is measured, most valuable first: each part is a command that prints JSON, with a time limit of its own."""

import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
# Stands in a command for the seconds that it may take, with time to tell how far it came.
LIMIT = "LIMIT"


@dataclass(frozen=True)
class Part:
    name: str
    about: str
    # Seconds, of which the run's own limit may leave less.
    limit: float
    command: list[str]
    # The output is a line of JSON for each figure, so that one that was stopped keeps what it had.
    lines: bool = False
    # Without it nothing else can be measured.
    vital: bool = False


@dataclass(frozen=True)
class Setting:
    """Of one run; `quick` is for a processor in the place of the GPU: the same parts with less work."""

    work: Path
    device: str
    quick: bool
    threads: int


# Mode, model, batch size; the last ones are not measured where time runs out.
ROWS = (
    "train tutorial-mnist 64", "train resnet18 64", "train tutorial-cifar 64", "train resnet18-cifar 256",
    "infer resnet18 64", "train tutorial-mnist 256", "infer tutorial-mnist 64", "train resnet18-cifar 64",
)
MORE_ROWS = (
    "train resnet18 256", "train tutorial-cifar 256", "train resnet50 64", "infer resnet18-cifar 256",
    "infer tutorial-cifar 64", "infer resnet50 64", "infer tutorial-mnist 1",
)
# Networks that the comparison does not have in PyTorch.
ALONE = ("train lenet5 64", "train resnet20 64")
QUICK_ROWS = ("train tutorial-mnist 64", "infer tutorial-mnist 64", "train tutorial-cifar 16")
QUICK_MORE_ROWS = ("infer resnet18-cifar 1",)
QUICK_ALONE = ("train lenet5 16",)


def parts(setting):
    work, device, quick = setting.work, setting.device, setting.quick
    apus, card = str(work / "bin" / "apus"), str(work / "bin" / "card")
    python = sys.executable

    def size(full, small):
        return small if quick else full

    def rows(names, *more):
        return [python, str(HERE / "compare_rows.py"), "--apus", apus, "--device", device,
                "--threads", str(setting.threads), "--rounds", size("3", "1"), "--seconds", size("0.4", "0.2"),
                "--trial-seconds", size("0.1", "0.02"), "--row-limit", size("60", "40"), *more, *names]

    def profile(model, batch_size):
        return [apus, "profile", "--json", "--device", device, "--model", model, "--batch-size", batch_size,
                "--steps", size("10", "2")]

    rates = [str(work / "bin" / "rates"), "--device", device, "--batch-size", size("64", "1"), *size([], ["--most", "0.3"])]
    first, more = size(ROWS, QUICK_ROWS), size(MORE_ROWS, QUICK_MORE_ROWS)
    tuned = "tutorial-cifar", size("64", "16")
    mnist = (work / "data" / "mnist").is_dir() and not quick
    cases = Part("cases", "the operation cases of the tests", size(65, 35),
                 [python, str(HERE / "cases.py"), str(work / "bin" / "cases"), LIMIT])
    return [
        Part("machine", "processor, driver, PyTorch", 45, [python, str(HERE / "machine_facts.py"), str(setting.threads)]),
        Part("devices", "what `apus devices` lists", 20, [apus, "devices", "--json"]),
        Part("card facts", "what the driver says of the device", 20, [card, "facts"], vital=True),
        Part("card launches", "launching an empty kernel, with and without profiling", 20, [card, "launches"]),
        Part("card copies", "copy bandwidth", 20, [card, "copies"]),
        Part("card fma", "peak of float32 multiply-adds", 20, [card, "fma"]),
        Part("probes", "what the compiler takes and the matrix units do: questions in card/probes", 40,
             [python, str(HERE / "probes.py"), card, str(HERE / "card" / "probes")], lines=True),
        Part("doctor", "every family of operations against the reference", size(75, 90),
             [apus, "doctor", "--json", "--device", device]),
        Part("kernels", "building all kernels of the first rows, several programs at once", 60,
             [python, str(HERE / "kernels.py"), "--apus", apus, "--device", device, *first], lines=True),
        Part("rows", "training and inference beside PyTorch", size(150, 110), rows(first), lines=True),
        Part("rates", "convolutions and products one by one", size(45, 40),
             [*rates, "--seconds", size("0.15", "0.05")], lines=True),
        Part("rates of PyTorch", "the same in PyTorch: GFLOP/s in float32, and with TF32", 45,
             [python, str(HERE / "torch_rates.py"), *rates], lines=True),
        Part("profile small", "where the time of a small network's step goes", 20, profile("tutorial-mnist", "64")),
        Part("profile large", "where the time of a large network's step goes", 30,
             profile(*size(("resnet18", "64"), ("tutorial-cifar", "16")))),
        Part("mnist" if mnist else "digits", "a whole training, with its accuracy", size(30, 60),
             [python, str(HERE / "training.py"), apus, device, str(work)]
             + (["mnist", "--data-dir", str(work / "data")] if mnist else ["digits"])
             + ["--epochs", size("3", "1"), "--batch-size", "64", *size([], ["--model", "lenet5"])]),
        *([cases] if (work / "bin" / "cases").exists() else []),
        Part("tune", "the tuner on one network", 60,
             [apus, "tune", "--json", "--device", device, "--model", tuned[0], "--batch-size", tuned[1]]),
        Part("row tuned", "the tuned network again", 45,
             rows([f"train {tuned[0]} {tuned[1]}"], "--row-limit", LIMIT, *size([], ["--alone"])), lines=True),
        Part("rows alone", "networks that only Apus runs", 45,
             rows(size(ALONE, QUICK_ALONE), "--alone", "--row-limit", size("20", LIMIT)), lines=True),
        Part("more rows", "more training and inference beside PyTorch", size(120, 30), rows(more), lines=True),
    ]
