"""Times trainer and another engine in turn and prints the ratios; see README.md."""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def measure(command):
    """The JSON object that a command prints last."""
    done = subprocess.run(command, capture_output=True, text=True)
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode != 0 or not lines:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}")
    return json.loads(lines[-1])


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--trainer", default="bin/trainer", help="the trainer binary")
    p.add_argument("--models", default="lenet5,cifar_resnet20,cifar_resnet18,squeezenet1_1,mobilenetv2_100,resnet18,resnet50")
    p.add_argument("--mode", default="train", choices=["train", "eval"])
    p.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    p.add_argument("--peer", default="torch", choices=["torch", "onnxruntime"])
    p.add_argument("--compile", action="store_true", help="also time torch.compile")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--steps", type=int, default=8)
    p.add_argument("--json", action="store_true", help="a line of JSON for each model")
    a = p.parse_args()
    ways = [[]]
    if a.peer == "torch":
        ways = [["--layout", layout] + compiled for layout in ("nhwc", "nchw") for compiled in ([[], ["--compile"]] if a.compile else [[]])]
    for model in a.models.split(","):
        common = ["--model", model, "--mode", a.mode, "--precision", a.precision, "--steps", str(a.steps)]
        rounds = []
        for _ in range(a.rounds):
            ours = measure([a.trainer, "bench", *common, "--json"])
            theirs = [measure([sys.executable, os.path.join(HERE, "peer.py"), "--engine", a.peer, *common, *way]) for way in ways]
            best = max(theirs, key=lambda t: t["images_per_s"])
            if ours["batch"] != best["batch"]:
                sys.exit(f"{model}: batch {ours['batch']} here, {best['batch']} there")
            rounds.append((ours, best))
        ratio = [o["images_per_s"] / t["images_per_s"] for o, t in rounds]
        memory = statistics.median(o["peak_rss_mb"] / t["peak_rss_mb"] for o, t in rounds)
        if a.json:
            print(json.dumps({"model": model, "mode": a.mode, "precision": a.precision, "ratio": statistics.median(ratio), "ratios": ratio,
                              "memory": memory, "rounds": rounds}), flush=True)
            continue
        pairs = ", ".join(f"{o['images_per_s']:.5g}/{t['images_per_s']:.5g}" for o, t in rounds)
        best = rounds[-1][1]
        print(f"{model:16} {a.mode} {a.precision}  {statistics.median(ratio):.2f} ({min(ratio):.2f}-{max(ratio):.2f})  memory {memory:.2f}  "
              f"{pairs} images/s  [{best['engine']} {best['layout'] if a.peer == 'torch' else ''}]", flush=True)


if __name__ == "__main__":
    main()
