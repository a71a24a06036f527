#!/bin/sh
# Trains configs/cifar10-rsb-a2.yaml's counterpart by timm's own train.py, on the CPU in
# two processes of one thread and 64 images each: timm's repeated augmentation wants
# several processes.
#
# usage: rsb_timm.sh TIMM_CHECKOUT DATA SEED OUTPUT    (DATA is what cifar_folders.py makes)
set -e
timm=$1 data=$2 seed=$3 output=$4
# Distributed training on the CPU takes no list of devices.
sed 's/device_ids=\[device\], //' "$timm/train.py" > "$timm/train_cpu.py"
PYTHONPATH=$timm OMP_NUM_THREADS=1 exec python3 -m torch.distributed.run --nproc_per_node=2 --master_port "$((29500 + seed))" "$timm/train_cpu.py" \
  --data-dir "$data" --train-split train --val-split val --model resnet18 --num-classes 10 --img-size 32 \
  --mean 0.4914 0.4822 0.4465 --std 0.2470 0.2435 0.2616 --interpolation bicubic --train-interpolation bicubic --crop-pct 1.0 \
  --device cpu --batch-size 64 --validation-batch-size 250 --epochs "${EPOCHS:-10}" --workers 1 --seed "$seed" --output "$output" \
  --opt lamb --lr 5e-3 --weight-decay 0.02 --sched cosine --sched-on-updates --warmup-epochs 2 --warmup-lr 1e-6 --min-lr 1e-6 \
  --bce-loss --bce-target-thresh 0.2 --smoothing 0.0 --mixup 0.1 --cutmix 1.0 --aa rand-m7-mstd0.5-inc1 --aug-repeats 3 --drop-path 0.05 \
  --reprob 0 --scale 0.35 1.0 --hflip 0.5
