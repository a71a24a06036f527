#!/usr/bin/python3
"""Writes the golden files of the checkpoint package beside this script.

The keys in legacy files are addresses, so their bytes differ from run to run.
Made with Debian's python3-torch 1.13 and numpy 1.24; seed 7. golden.json has,
for every file, the tensors that PyTorch itself loads from it: element type,
shape, CRC-32 of the row-major little-endian bytes, and the first values.
With TRAINER_DATA set, real.json is written for the published files, too.
"""
import binascii, collections, io, json, os, struct, sys, zipfile
import numpy as np
import torch

HERE = os.path.dirname(os.path.abspath(__file__))
DTYPES = {torch.float32: 'F32', torch.float64: 'F64', torch.float16: 'F16', torch.bfloat16: 'BF16',
          torch.int64: 'I64', torch.int32: 'I32', torch.int16: 'I16', torch.int8: 'I8',
          torch.uint8: 'U8', torch.bool: 'BOOL'}


def raw(t):
    t = t.detach().contiguous()
    if t.dtype == torch.bfloat16:
        t = t.view(torch.int16)
    return t.numpy().tobytes()


def describe(tensors):
    return [{'name': n, 'dtype': DTYPES[t.dtype], 'shape': list(t.shape), 'crc32': binascii.crc32(raw(t)),
             'first': [repr(float(v)) for v in t.detach().flatten()[:4].double()]} for n, t in tensors.items()]


def dump(files, f):
    """Writes JSON with one line a tensor."""
    lists = ['%s: [\n%s\n]' % (json.dumps(name), ',\n'.join(json.dumps(t) for t in ts)) for name, ts in files.items()]
    f.write('{\n' + ',\n'.join(lists) + '\n}\n')


def zoo():
    torch.manual_seed(7)
    base = torch.randn(4, 6)
    d = collections.OrderedDict()
    d['conv.weight'] = torch.randn(2, 3, 2, 2)
    d['half'] = torch.tensor([1.5, -2.25, 65504., 6e-8, float('inf')]).half()
    d['bf16'] = torch.randn(5).bfloat16()
    d['double'] = torch.randn(3, dtype=torch.float64)
    d['num_batches_tracked'] = torch.tensor(12345678901)
    d['int32'] = torch.tensor([-2147483648, 5], dtype=torch.int32)
    d['int16'] = torch.tensor([-300, 7], dtype=torch.int16)
    d['int8'] = torch.tensor([-128, 127], dtype=torch.int8)
    d['uint8'] = torch.tensor([0, 255], dtype=torch.uint8)
    d['bool'] = torch.tensor([True, False, True])
    d['empty'] = torch.zeros(0, 3)
    d['shared.whole'] = base
    d['shared.row'] = base[2]
    d['shared.column'] = base[:, 1]
    d['transposed'] = base.t()
    d['channels_last'] = torch.randn(2, 3, 4, 5).contiguous(memory_format=torch.channels_last)
    d['stepped'] = torch.arange(20.)[3:17:4]
    d['expanded'] = torch.tensor([[7.]]).expand(3, 2)
    d['parameter'] = torch.nn.Parameter(torch.randn(2, 2))
    return d


def main():
    golden = {}

    def save(name, obj, expect, **kw):
        torch.save(obj, os.path.join(HERE, name), **kw)
        golden[name] = describe(expect)

    tensors = zoo()
    save('zoo_zip.pth', tensors, tensors)
    save('zoo_protocol4.pth', tensors, tensors, pickle_protocol=4)
    save('zoo_legacy.pth', tensors, tensors, _use_new_zipfile_serialization=False)

    torch.manual_seed(8)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 3), torch.nn.BatchNorm2d(2))
    plain = net.state_dict()  # has _metadata
    wrapped = collections.OrderedDict(('module.' + k, v) for k, v in plain.items())
    ema = {k: v + 1 for k, v in plain.items()}
    opt = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    net(torch.randn(2, 1, 5, 5)).sum().backward()
    opt.step()
    full = {'epoch': 3, 'arch': 'tiny', 'best_acc1': np.float64(91.25), 'best_f32': np.float32(0.5),
            'count': np.int64(-3), 'flag': np.bool_(True), 'big': 1 << 80, 'none': None, 'pair': (1, 2.5),
            'blob': b'\x00\xff', 'names': {'a', 'b'}, 'size': torch.Size([1, 2]), 'dtype': torch.float16,
            'device': torch.device('cpu'), 'milestones': collections.Counter([3, 3, 5]),
            'state_dict': wrapped, 'state_dict_ema': ema, 'optimizer': opt.state_dict()}
    for name, kw in (('full_zip.pth.tar', {}), ('full_legacy.pth.tar', {'_use_new_zipfile_serialization': False})):
        save(name, full, {k[len('module.'):]: v for k, v in wrapped.items()}, **kw)
        golden[name + '#ema'] = describe(ema)

    # A file as a big-endian machine writes it.
    big = {'a': torch.tensor([1., -2., 3.]), 'b': torch.tensor([1, 2 ** 40])}
    b = io.BytesIO()
    torch.save(big, b)
    with zipfile.ZipFile(b) as z, zipfile.ZipFile(os.path.join(HERE, 'big_endian.pth'), 'w') as out:
        widths = {'archive/data/0': 4, 'archive/data/1': 8}
        for info in z.infolist():
            data = z.read(info)
            if info.filename in widths:
                data = np.frombuffer(data, dtype='V%d' % widths[info.filename])
                data = b''.join(bytes(v)[::-1] for v in data)
            out.writestr(zipfile.ZipInfo(info.filename), data)
        out.writestr(zipfile.ZipInfo('archive/byteorder'), b'big')
    golden['big_endian.pth'] = describe(big)

    # What must be refused: a whole module, and code.
    class Hostile:
        def __reduce__(self):
            return os.system, ('touch /tmp/pwned',)
    torch.save({'state_dict': plain, 'extra': Hostile()}, os.path.join(HERE, 'hostile_system.pth'))
    torch.save(net, os.path.join(HERE, 'whole_module.pth'))

    with open(os.path.join(HERE, 'golden.json'), 'w') as f:
        dump(golden, f)

    data = os.environ.get('TRAINER_DATA')
    if not data:
        return
    real = {}
    for name in ('cifar10-weights/resnet20-12fca82f.th', 'weights-face/blazeface.pth', 'weights-face/blazefaceback.pth'):
        d = torch.load(os.path.join(data, name), map_location='cpu')
        d = d.get('state_dict', d)
        real[name] = describe({k[7:] if k.startswith('module.') else k: v for k, v in d.items()})
    name = 'weights-imagenet/squeezenet1_1.fp16.safetensors'
    with open(os.path.join(data, name), 'rb') as f:
        n, = struct.unpack('<Q', f.read(8))
        header, body = json.loads(f.read(n)), f.read()
    header.pop('__metadata__', None)
    tensors = {}
    for k, e in header.items():
        lo, hi = e['data_offsets']
        kind = {'F16': torch.float16, 'F32': torch.float32}[e['dtype']]
        tensors[k] = torch.frombuffer(bytearray(body[lo:hi]), dtype=kind).reshape(e['shape'])
    real[name] = describe(tensors)
    # Every eighth tensor is enough to notice any misreading; the key has the count of all.
    with open(os.path.join(HERE, 'real.json'), 'w') as f:
        dump({"%s#%d" % (k, len(v)): v[::8] for k, v in real.items()}, f)


if __name__ == '__main__':
    sys.exit(main())
