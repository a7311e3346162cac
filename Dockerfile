# Builds without a network, from a folder of wheels that a machine with one has filled:
#
#     python -m pip wheel --wheel-dir wheels --constraint requirements/constraints.txt .
#     docker build --tag genokeras .
#     docker run --rm -v "$PWD:/data" -w /data genokeras fit leukemia.tsv.gz --target label
#
# The wheels are to be fetched by the Python version and on the kind of machine that the image has.
FROM python:3.11-slim

COPY wheels /wheels
RUN python -m pip install --no-cache-dir --no-compile --no-index --find-links /wheels genokeras && rm -r /wheels

ENV TF_CPP_MIN_LOG_LEVEL=2
ENTRYPOINT ["genokeras"]
CMD ["--help"]
