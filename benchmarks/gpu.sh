#!/bin/sh
# How fast and how good on this machine, at most 10 minutes on a graphics card with CUDA; on a processor with small limits:
#   benchmarks/gpu.sh DATA                                        rows a second; trials and accuracy after 2 and 5 minutes
#   SECONDS_LONG=600 LIMIT=1200 benchmarks/gpu.sh DATA            the same after 2 and 10 minutes, in 20 minutes
#   SECONDS_SHORT=20 SECONDS_LONG=0 BATCHES=32 REPEATS=1 EPOCHS=1 KINDS=dna BACKENDS=tensorflow benchmarks/gpu.sh DATA
# DATA is the folder of sets. Results go to standard output and, as JSON lines, to RESULTS.
# LIMIT, in seconds, ends all of it. The searches run on TensorFlow, Keras' default backend here, unless KERAS_BACKEND says otherwise.
set -eu
data=${1:?usage: benchmarks/gpu.sh DATA}
short=${SECONDS_SHORT:-120} long=${SECONDS_LONG:-300}
results=${RESULTS:-gpu.jsonl} python=${PYTHON:-python}
end=$(($(date +%s) + ${LIMIT:-600}))

# What is left of the time limit ends a step; the others still run.
step() {
    left=$((end - $(date +%s)))
    if [ "$left" -lt 5 ]; then
        echo "no time left for: $*"
        return 0
    fi
    timeout "$left" "$@" || echo "ended with status $?: $*"
}

nvidia-smi --query-gpu=name,memory.total,driver_version --format=csv,noheader 2>/dev/null || echo "no graphics card"
for backend in ${BACKENDS:-tensorflow jax}; do
    echo "== $backend: rows a second"
    KERAS_BACKEND=$backend step "$python" -m benchmarks.speed.spatial --data "$data" --kinds ${KINDS:-image dna text} \
        --batches ${BATCHES:-128 256} --repeats "${REPEATS:-3}" --epochs "${EPOCHS:-8}"
done
for seconds in $short $long; do
    [ "$seconds" -gt 0 ] || continue
    echo "== accuracy and trials after $seconds s (trials a minute: 60 x trials / fit_seconds)"
    step "$python" -m benchmarks.quality.spatial --data "$data" --sets ${SETS:-mnist10k} --seconds "$seconds" --rounds 1 --results "$results"
done
