"""The results as plain text."""


def step_table(rows, ceilings):
    """The table of one system: milliseconds, images a second, ratios, share of the ceiling.

    `speed-up` is in images per second, over the float32 tutorial without XLA.
    """
    baseline = next((row for row in rows if row["label"] == "tutorial float32"), None)
    loops = {(row["precision"], row["xla"]): row for row in rows if row["implementation"] == "loop"}
    header = ["", "ms a step", "min", "max", "images/s", "speed-up", "of loop", "GFLOP/s"]
    table = [[*header, "ceiling", "first step s", "compile s", "peak MiB"]]
    for row in rows:
        loop = loops.get((row["precision"], row["xla"]))
        if loop is None or row["implementation"] == "loop":
            of_loop = ""
        else:
            of_loop = f"{row['median_ms'] / loop['median_ms']:.2f}"
        memory = row.get("memory", {})
        table.append(
            [
                row["label"],
                _number(row["median_ms"]),
                _number(row["min_ms"]),
                _number(row["max_ms"]),
                f"{row['images_per_second']:.0f}",
                f"{baseline['median_ms'] / row['median_ms']:.2f}" if baseline else "",
                of_loop,
                f"{row['gflops']:.0f}",
                f"{100 * row['gflops'] / ceilings[row['precision']]:.0f} %",
                _number(row["first_step_s"]),
                _number(row["compile_s"]),
                f"{memory['peak']:.0f}" if "peak" in memory else "",
            ]
        )
    return aligned(table)


def growth_table(rows):
    """How a step grows with one setting, the others the recipe's."""
    table = [["system", "setting", "value", "ms a step", "min", "max", "images/s", "times first"]]
    first = {}
    for row in rows:
        start = first.setdefault((row["system"], row["setting"]), row["median_ms"])
        table.append(
            [
                row["system"],
                row["setting"],
                str(row["value"]),
                _number(row["median_ms"]),
                _number(row["min_ms"]),
                _number(row["max_ms"]),
                f"{row['images_per_second']:.0f}",
                f"{row['median_ms'] / start:.2f}",
            ]
        )
    return aligned(table)


def aligned(table):
    """Columns of equal width, the first to the left and the others to the right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for name, *cells in table:
        line = [name.ljust(widths[0])]
        line += [cell.rjust(width) for cell, width in zip(cells, widths[1:], strict=True)]
        lines.append("  ".join(line).rstrip())
    return "\n".join(lines)


def _number(value):
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"
