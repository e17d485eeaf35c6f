"""Training steps of the networks in nets.ts by PyTorch: a job as JSON on stdin, losses and times as JSON on stdout."""

import base64
import json
import sys
import time

import torch
import torch.nn.functional as F

job = json.load(sys.stdin)
torch.set_num_threads(job["threads"])


def values(entry):
    data = bytearray(base64.b64decode(entry["base64"]))
    return torch.frombuffer(data, dtype=torch.float32).reshape(entry["shape"]).clone()


def weight(entry):
    """[kh, kw, in, out] to [out, in, kh, kw]."""
    w = values(entry)
    return (w.permute(3, 2, 0, 1).contiguous() if w.dim() == 4 else w).requires_grad_()


weights = [weight(entry) for entry in job["parameters"]]
x = values(job["x"]).permute(0, 3, 1, 2).contiguous()
labels = torch.tensor(job["labels"])


def same(x, kernel, stride):
    """Padding 'same' as ONNX's SAME_UPPER."""
    total = max((-(-x.shape[-1] // stride) - 1) * stride + kernel - x.shape[-1], 0)
    low = total // 2
    if total % 2 == 0:
        return x, low
    return F.pad(x, (low, total - low, low, total - low)), 0


def forward(net, x):
    used = iter(weights)

    def conv(x, padded=True, bias=True):
        w = next(used)
        b = next(used) if bias else None
        return F.conv2d(x, w, b, padding=w.shape[-1] // 2 if padded else 0)

    def depthwise(x, stride):
        x, padding = same(x, 3, stride)
        return F.conv2d(x, next(used), stride=stride, padding=padding, groups=x.shape[1])

    def dense(x):
        w = next(used)
        return torch.addmm(next(used), x, w)

    def normal(x):
        channels = x.shape[1]
        return F.relu(F.batch_norm(x, torch.zeros(channels), torch.ones(channels), next(used), next(used), True))

    def flat(x):
        return x.permute(0, 2, 3, 1).flatten(1)

    if net == "lenet5":
        x = F.avg_pool2d(torch.tanh(conv(x * 1.275 - 0.1)), 2)
        x = F.avg_pool2d(torch.tanh(conv(x, padded=False)), 2)
        x = torch.tanh(dense(flat(x)))
        return dense(torch.tanh(dense(x)))
    if net == "vgg-like":
        for _ in range(2):
            x = F.relu(conv(x))
            x = F.max_pool2d(F.relu(conv(x)), 2)
        return dense(F.relu(dense(flat(x))))
    x = normal(conv(x, bias=False))
    for stride in (1, 2, 1, 2, 1):
        x = normal(depthwise(x, stride))
        x = normal(conv(x, bias=False))
    return dense(x.mean((2, 3)))


optimizer = torch.optim.SGD(weights, lr=job["learningRate"], momentum=job["momentum"])


def step():
    optimizer.zero_grad()
    loss = F.cross_entropy(forward(job["net"], x), labels)
    loss.backward()
    optimizer.step()
    return loss.item()


losses = [step() for _ in range(3)]
begin = time.perf_counter()
warm_ups = 0
while warm_ups < job["warmUpCalls"] or time.perf_counter() - begin < job["warmUp"] / 1000:
    step()
    warm_ups += 1
times = []
begin = time.perf_counter()
while len(times) < job["samples"] or time.perf_counter() - begin < job["budget"] / 1000:
    start = time.perf_counter()
    step()
    times.append((time.perf_counter() - start) * 1000)
print(json.dumps({"losses": losses, "times": times, "version": torch.__version__}))
