"""Several devices and several hosts: making strategies, and which replica gets which rows."""

import json
import os

import tensorflow as tf


def make_strategy(name, replicas=None):
    """Returns a strategy by name; see `kgen.distribution.strategy`, whose arguments these are."""
    if name not in ("none", "mirrored", "multiworker"):
        raise ValueError(
            f'`strategy` must be "none", "mirrored" or "multiworker", received {name!r}.'
        )
    is_count = isinstance(replicas, int) and not isinstance(replicas, bool) and replicas >= 1
    if replicas is not None and not is_count:
        raise ValueError(f"`replicas` must be a positive integer or None, received {replicas!r}.")
    if name == "none":
        if replicas not in (None, 1):
            raise ValueError(f"`replicas` must be None without a strategy, received {replicas}.")
        return tf.distribute.get_strategy()
    if name == "mirrored":
        return _over_gpus(replicas) or mirrored(2 if replicas is None else replicas)
    return _over_workers(replicas)


def mirrored(count):
    """Returns a strategy over `count` logical CPU devices, to train or test without a GPU."""
    devices = _logical_cpus(count)
    # Not by collectives, which two strategies in one process would mix up.
    reduction = tf.distribute.ReductionToOneDevice()
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=reduction)


def replicas():
    """Returns over how many replicas the calling one is spread; 1 outside of a replica."""
    context = tf.distribute.get_replica_context()
    return 1 if context is None else context.num_replicas_in_sync


def is_multiworker(strategy):
    """Whether other processes take part."""
    return _workers(strategy) > 1


def is_chief(strategy):
    """Whether this process is the one that writes files."""
    if not is_multiworker(strategy):
        return True
    resolver = strategy.cluster_resolver
    if resolver.task_type == "chief":
        return True
    return resolver.task_id == 0 and not resolver.cluster_spec().as_dict().get("chief")


def shared(data, strategy):
    """Returns a dataset of batches as one of which every replica gets its own rows.

    With n replicas, replica i of all workers gets the i-th n-th of the rows of each batch, in
    order, as many as the others; of a batch that n does not divide, the last ones get fewer. So
    they are the rows whose noise it draws. Every worker reads whole batches and keeps its rows:
    that is what makes them those of a single device, whatever the dataset does.

    Other data, such as arrays, is returned as it is: Keras shares it out.
    """
    count = strategy.num_replicas_in_sync
    if count == 1 or not isinstance(data, tf.data.Dataset):
        return data

    def own(context):
        local = count // context.num_input_pipelines
        first = local * context.input_pipeline_id
        if local == 1:
            return data.map(lambda *batch: _rows(batch, first, count)).prefetch(1)
        parts = data.flat_map(
            lambda *batch: tf.data.Dataset.range(first, first + local).map(
                lambda replica: _rows(batch, replica, count)
            )
        )
        if data.cardinality() == tf.data.INFINITE_CARDINALITY:
            parts = parts.apply(
                tf.data.experimental.assert_cardinality(tf.data.INFINITE_CARDINALITY)
            )
        return parts.prefetch(local)

    distributed = strategy.distribute_datasets_from_function(own)
    # Not public; TensorFlow would count each replica's rows as a batch, or know no number.
    distributed._cardinality = data.cardinality().numpy()
    return distributed


def is_shared(data):
    """Whether a dataset already gives every replica its own rows."""
    return isinstance(data, tf.distribute.DistributedDataset)


def _rows(batch, replica, count):
    """The rows of one replica of `count`, of each array of a batch as `map` unpacks it."""
    replica = tf.cast(replica, "int32")

    def part(leaf):
        size = leaf.shape[0]
        is_even = size is not None and size % count == 0
        rows = size // count if is_even else -(-tf.shape(leaf)[0] // count)
        own = leaf[replica * rows : (replica + 1) * rows]
        return tf.ensure_shape(own, (rows, *leaf.shape[1:])) if is_even else own

    parts = tf.nest.map_structure(part, batch)
    return parts if len(parts) > 1 else parts[0]


def _workers(strategy):
    resolver = getattr(strategy, "cluster_resolver", None)
    if resolver is None or not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return 1
    return sum(len(tasks) for tasks in resolver.cluster_spec().as_dict().values())


# ---------------------------------------------------------------------- devices


def _over_gpus(count):
    gpus = [device.name for device in tf.config.list_logical_devices("GPU")] if _gpus() else []
    if not gpus:
        return None
    if count is not None and count > len(gpus):
        raise ValueError(
            f"`replicas` must be at most {len(gpus)}, the GPUs here, received {count}."
        )
    return tf.distribute.MirroredStrategy(gpus[:count])


def _over_workers(count):
    check_cluster(os.environ.get("TF_CONFIG"))
    gpus = _gpus()
    if count is not None and count > max(1, len(gpus)):
        found = f"the {len(gpus)} GPUs here" if gpus else "as a worker without GPU is one replica"
        raise ValueError(
            f"`replicas` must be at most {max(1, len(gpus))}, {found}, received {count}."
        )
    try:
        if gpus and count is not None:
            tf.config.set_visible_devices(gpus[:count], "GPU")
        return tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        raise ValueError(
            "`strategy`: multiworker cannot start at this task's address in TF_CONFIG, "
            f"{os.environ['TF_CONFIG']}; another process may have it still ({error.message})."
        ) from error
    except RuntimeError as error:
        raise ValueError(
            f"`strategy`: multiworker must be chosen before TensorFlow is first used ({error})."
        ) from error


def check_cluster(text):
    """Raises a ValueError unless a text is a TF_CONFIG as multiworker needs it."""
    form = (
        'multiworker needs the environment variable TF_CONFIG on every host, such as {"cluster": '
        '{"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}, "task": {"type": "worker", "index": 0}}, '
        "with another index on each"
    )
    if not text:
        raise ValueError(f"`strategy`: {form}; it is not set.")
    try:
        config = json.loads(text)
        cluster, task = config["cluster"], config["task"]
        addresses, index = cluster[task["type"]], int(task["index"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"`strategy`: {form}; received {text!r} ({error!r}).") from error
    known = set(cluster) <= {"chief", "worker"} and task["type"] in cluster
    if not known or not isinstance(addresses, list) or not 0 <= index < len(addresses):
        raise ValueError(
            f"`strategy`: {form}; the cluster may have a chief and workers, and the task must be "
            f"one of them; received {text!r}."
        )
    for address in [address for kind in cluster.values() for address in kind]:
        host, _, port = str(address).rpartition(":")
        if not host or not port.isdecimal():
            raise ValueError(f"`strategy`: {form}; {address!r} is no <host>:<port>.")


def _gpus():
    return tf.config.list_physical_devices("GPU")


def _logical_cpus(count):
    """The names of `count` logical CPU devices, made if TensorFlow is not in use yet."""
    physical = tf.config.list_physical_devices("CPU")[0]
    configured = tf.config.get_logical_device_configuration(physical) or [None]
    if len(configured) < count:
        devices = [tf.config.LogicalDeviceConfiguration()] * count
        try:
            tf.config.set_logical_device_configuration(physical, devices)
        except RuntimeError as error:
            raise ValueError(
                f"`replicas`: {count} replicas need as many logical CPU devices, but there are "
                f"{len(configured)}, and more can be made only before TensorFlow is first used: "
                "make the strategy first, before any data or model."
            ) from error
    return [device.name for device in tf.config.list_logical_devices("CPU")[:count]]
