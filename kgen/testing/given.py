"""What a round's batch gives the public methods of a model, and what these are asked for."""


def arrays_of(batch):
    """x, or x and y."""
    return batch if isinstance(batch, tuple) else (batch,)


def rows_of(batch):
    return len(arrays_of(batch)[0])


def mirrored(array):
    """Images upside down; labels as they are."""
    return array[:, ::-1] if array.ndim > 2 else array


def translatable(model, batch):
    """Images to translate, by direction: the targets of the first way are those of the second."""
    return dict(zip(model.directions, arrays_of(batch), strict=False))


def scorable(model, batch):
    """Images to score and what they are judged with, by domain."""
    x, *y = arrays_of(batch)
    if len(model.score_domains) > 1:
        return {d: (images, {}) for d, images in zip(model.score_domains, (x, *y), strict=True)}
    given = {"labels": y, "inputs": [x]}.get(model.scored_with)
    images = y[0] if "translate" in model.abilities else x
    return {model.score_domains[0]: (images, {model.scored_with: given[0]} if given else {})}


def encodable(model, batch):
    """Images to encode, and what they are encoded with."""
    names = ("images",) if model.encoded_with is None else ("images", model.encoded_with)
    return dict(zip(names, arrays_of(batch), strict=False))


def asked_of(model, batch):
    """Yields signatures, their inputs, and what the model itself gives."""
    if "decode" in model.abilities:
        can_draw = "sample" in model.abilities
        latents = model.latents(3, seed=1) if can_draw else model.encode(**encodable(model, batch))
        yield "decode", {"latents": latents}, model.decode(latents)
        yield "serving_default", {"latents": latents}, model.decode(latents)
    if "sample" in model.abilities:
        labels = {} if model.classes is None else {"labels": [0, 1, 0]}
        asked = {"seed": 1, "count": 3, **labels}
        yield "sample", asked, model.sample(3, seed=1, **labels)
        if model.truncation_name:
            truncation = {model.truncation_name: 0.5}
            images = model.sample(3, seed=1, **labels, **truncation)
            yield "sample_truncated", {**asked, **truncation}, images
    for name in ("encode", "reconstruct", "log_prob"):
        if name in model.abilities and model.image_shape is not None:
            given = encodable(model, batch)
            yield name, given, getattr(model, name)(**given)
    if "translate" in model.abilities:
        for direction, images in translatable(model, batch).items():
            name = "translate" if len(model.directions) == 1 else f"translate_{direction}"
            yield name, {"images": images}, model.translate(images, direction)
    if "score" in model.abilities:
        for domain, (images, given) in scorable(model, batch).items():
            name = "score" if len(model.score_domains) == 1 else f"score_{domain}"
            expected = model.score(images, **given, domain=domain)
            yield name, {"images": images, **given}, expected
    if "classify" in model.abilities:
        images = arrays_of(batch)[0]
        yield "classify", {"images": images}, model.classify(images)
