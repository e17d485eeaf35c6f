"""Cases of compare by PyTorch: a list of them as JSON on stdin, their answers as JSON on stdout."""

import base64
import json
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
BORDERS = {"reflect": "reflect", "replicate": "replicate", "circular": "circular"}


def tensor(entry):
    data = bytearray(base64.b64decode(entry["base64"]))
    return torch.frombuffer(data, dtype=torch.float32).reshape(entry["shape"]).clone()


def first(x):
    """[N, spatial..., C] to [N, C, spatial...]."""
    return x.movedim(-1, 1).contiguous()


def kernel(w):
    """[k..., I, O] to [O, I, k...]."""
    return w.movedim(-1, 0).movedim(-1, 1).contiguous()


def refuse(reason):
    raise NotImplementedError(reason)


def symmetric(padding):
    if any(low != high for low, high in padding):
        refuse("no asymmetric padding")
    if any(low < 0 for low, _ in padding):
        refuse("no negative padding")
    return [low for low, _ in padding]


def padded(x, case):
    modes = set(case["border"])
    if len(modes) > 1:
        refuse("no border mode per axis")
    mode = modes.pop()
    if mode not in BORDERS:
        refuse(f"no {mode} border")
    flat = [n for pair in reversed(case["padding"]) for n in pair]
    return F.pad(x, flat, mode=BORDERS[mode])


def convolution(x, w, case):
    rank = len(case["kernel"])
    options = {"stride": case["stride"], "dilation": case["dilation"], "groups": case["groups"]}
    zero = all(mode == "zero" for mode in case["border"])
    if case["op"] == "convTranspose":
        if not zero:
            refuse("transposed: no border modes")
        call = [F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d][rank - 1]
        return call(x, w, padding=symmetric(case["padding"]), output_padding=case["outputPadding"], **options)
    call = [F.conv1d, F.conv2d, F.conv3d][rank - 1]
    if not zero:
        return call(padded(x, case), w, **options)
    if case.get("word") == "same" and all(n == 1 for n in case["stride"]):
        return call(x, w, padding="same", **options)
    if any(low != high or low < 0 for low, high in case["padding"]):
        # as its documentation advises
        flat = [n for pair in reversed(case["padding"]) for n in pair]
        return call(F.pad(x, flat), w, **options)
    return call(x, w, padding=symmetric(case["padding"]), **options)


def pooled(x, case):
    rank = len(case["kernel"])
    padding = symmetric(case["padding"])
    if case["op"] == "maxPool":
        call = [F.max_pool1d, F.max_pool2d, F.max_pool3d][rank - 1]
        return call(x, case["kernel"], case["stride"], padding, case["dilation"], case["ceil"])
    if any(n > 1 for n in case["dilation"]):
        refuse("pooling: no dilation")
    call = [F.avg_pool1d, F.avg_pool2d, F.avg_pool3d][rank - 1]
    return call(x, case["kernel"], case["stride"], padding, case["ceil"], case["countPadding"])


def result(x, w, case):
    if "w" in case:
        return convolution(x, w, case)
    if case["op"] in ("maxPool", "averagePool"):
        return pooled(x, case)
    if case["op"] == "pad":
        return padded(x, case)
    if case["mode"] == "nearest":
        return F.interpolate(x, size=case["size"], mode="nearest")
    mode = {"linear": "bilinear", "cubic": "bicubic"}[case["mode"]]
    return F.interpolate(x, size=case["size"], mode=mode, align_corners=case["alignCorners"])


def values(t):
    flat = t.detach().contiguous().numpy()
    return {"base64": base64.b64encode(flat.tobytes()).decode(), "shape": list(flat.shape)}


def answer(job):
    case = job["case"]
    answers = {}

    def take(name, compute):
        try:
            answers[name] = values(compute())
        except Exception as error:  # whatever it says is the answer
            answers[name] = {"missing": str(error).split("\n")[0]}

    x = first(tensor(job["x"])).requires_grad_()
    w = kernel(tensor(job["w"])).requires_grad_() if "w" in case else None
    try:
        y = result(x, w, case)
    except Exception as error:
        return {name: {"missing": str(error).split("\n")[0]} for name in job["quantities"]}
    take("value", lambda: y.movedim(1, -1))
    g = tensor(job["g"])
    if list(y.movedim(1, -1).shape) != list(g.shape):
        return {name: answers["value"] for name in job["quantities"]}
    loss = (y * first(g)).sum()
    take("by input", lambda: torch.autograd.grad(loss, x, retain_graph=True)[0].movedim(1, -1))
    if w is not None:
        back = lambda t: t.movedim(1, -1).movedim(0, -1)
        take("by kernel", lambda: back(torch.autograd.grad(loss, w, retain_graph=True)[0]))
        h = first(tensor(job["h"]))

        def second():
            dx = torch.autograd.grad(loss, x, create_graph=True)[0]
            return back(torch.autograd.grad((dx * h).sum(), w)[0])

        take("second", second)
    return answers


print(json.dumps([answer(job) for job in json.load(sys.stdin)]))
