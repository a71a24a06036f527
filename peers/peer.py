"""Times one network in another engine and prints a line of JSON: step time, images per second, peak memory."""
import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time

WARM_UP = 3
MALLOC = "glibc.malloc.mmap_threshold=17179869184:glibc.malloc.trim_threshold=17179869184:glibc.malloc.arena_max=1"


def torch_step(a, network, batch, channels, size, classes):
    import torch
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    x, y = torch.randn(batch, channels, size, size), torch.randint(classes, (batch,))
    if a.layout == "nhwc":
        network, x = network.to(memory_format=torch.channels_last), x.contiguous(memory_format=torch.channels_last)
    network.train(a.mode == "train")
    run = torch.compile(network) if a.compile else network
    low = torch.autocast("cpu", torch.bfloat16, enabled=a.precision == "bf16")
    optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9)
    loss = torch.nn.CrossEntropyLoss()

    def train():
        with low:
            logits = run(x)
        optimizer.zero_grad(set_to_none=True)
        loss(logits.float(), y).backward()
        optimizer.step()

    def evaluate():
        with torch.no_grad(), low:
            run(x)

    return "torch " + torch.__version__, train if a.mode == "train" else evaluate


def onnx_step(a, network, batch, channels, size, classes):
    """The network as PyTorch exports it, in a process that has not loaded PyTorch."""
    import numpy
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = a.threads
    session = onnxruntime.InferenceSession(a.file, options, ["CPUExecutionProvider"])
    x = numpy.random.default_rng(1).standard_normal((batch, channels, size, size)).astype("float32")
    feed = {session.get_inputs()[0].name: x}
    return "onnxruntime " + onnxruntime.__version__, lambda: session.run(None, feed)


def export(a):
    """Writes the network as ONNX from a process of its own, whose memory does not count."""
    import torch
    from networks import NETWORKS
    make, batch, channels, size, _ = NETWORKS[a.model]
    torch.onnx.export(make().eval(), (torch.randn(a.batch or batch, channels, size, size),), a.file, dynamo=True)


# The shapes again, for the process that must not load PyTorch.
def shape(a):
    if a.engine == "torch":
        from networks import NETWORKS
        make, batch, channels, size, classes = NETWORKS[a.model]
        return make(), a.batch or batch, channels, size, classes
    import onnx
    dims = [d.dim_value for d in onnx.load(a.file, load_external_data=False).graph.input[0].type.tensor_type.shape.dim]
    return None, dims[0], dims[1], dims[2], None


def main():
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("--model", required=True)
    p.add_argument("--engine", default="torch", choices=["torch", "onnxruntime"])
    p.add_argument("--mode", default="train", choices=["train", "eval"])
    p.add_argument("--precision", default="f32", choices=["f32", "bf16"])
    p.add_argument("--layout", default="nhwc", choices=["nhwc", "nchw"])
    p.add_argument("--compile", action="store_true")
    p.add_argument("--batch", type=int)
    p.add_argument("--steps", type=int, default=8)
    p.add_argument("--threads", type=int, default=os.cpu_count())
    p.add_argument("--file", help="the ONNX file to write (with --export) or to run")
    p.add_argument("--export", action="store_true")
    a = p.parse_args()
    if os.environ.get("GLIBC_TUNABLES") != MALLOC:
        os.execve(sys.executable, [sys.executable] + sys.argv,
                  dict(os.environ, GLIBC_TUNABLES=MALLOC, OMP_NUM_THREADS=str(a.threads)))
    if a.export:
        return export(a)
    with tempfile.TemporaryDirectory() as folder:
        if a.engine == "onnxruntime" and not a.file:
            import subprocess
            a.file = os.path.join(folder, "network.onnx")
            subprocess.run([sys.executable] + sys.argv + ["--export", "--file", a.file], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        network, batch, *rest = shape(a)
        engine, step = {"torch": torch_step, "onnxruntime": onnx_step}[a.engine](a, network, batch, *rest)
        times = []
        for i in range(WARM_UP + a.steps):
            start = time.perf_counter()
            step()
            if i >= WARM_UP:
                times.append(time.perf_counter() - start)
    median = statistics.median(times)
    print(json.dumps({
        "engine": engine + (" compiled" if a.compile else ""), "layout": a.layout, "batch": batch,
        "images_per_s": batch / median, "step_ms_median": 1e3 * median, "step_ms_min": 1e3 * min(times),
        "peak_rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
