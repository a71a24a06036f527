"""Runs the files of a manifest with onnxruntime and compares the logits; see onnx_test.go."""
import json
import sys

import numpy as np
import onnx
import onnxruntime

failed = []
for c in json.load(open(sys.argv[1])):
    try:
        onnx.checker.check_model(c["file"], full_check=True)
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        session = onnxruntime.InferenceSession(c["file"], options, providers=["CPUExecutionProvider"])
        x = np.fromfile(c["input"], dtype="<f4").reshape(c["shape"])
        y = session.run(["logits"], {"input": x})[0]
        want = np.array(c["logits"], dtype=np.float32).reshape(y.shape)
        difference = np.abs(y - want).max() / np.abs(want).max()
        print(f"{c['name']}: {difference:.2g}")
        if not difference <= c["limit"]:
            failed.append(c["name"])
    except Exception as e:
        print(f"{c['name']}: {str(e)[:500]}")
        failed.append(c["name"])
if failed:
    sys.exit("not equal: " + ", ".join(failed))
