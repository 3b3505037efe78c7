"""Records what Apache Otava finds in some series: `pip install apache-otava==0.8.0`, then
`python oracle.py > oracle.json`. The series follow from a seed."""

import json
import random

from otava.analysis import compute_change_points

draw = random.Random(2301)


def noise(levels, deviation):
    return [round(level * (1 + draw.gauss(0, deviation)), 3) for level, runs in levels for _ in range(runs)]


SERIES = {
    "constant": [5.0] * 12,
    "noise": noise([(100, 60)], 0.03),
    "one step": noise([(100, 25), (110, 25)], 0.02),
    "up and back": noise([(100, 20), (120, 15), (100, 25)], 0.03),
    "steps over windows": noise([(100, 40), (108, 50), (95, 45), (130, 30)], 0.02),
    "an outlier": noise([(100, 15), (300, 1), (100, 15)], 0.02),
    "late": noise([(100, 46), (112, 4)], 0.02),
    "short": noise([(100, 4), (150, 3)], 0.02),
    "two": [1.0, 2.0],
    "small steps": noise([(100, 30), (102, 30), (104, 30)], 0.01),
}


def found(series, min_magnitude):
    points, _ = compute_change_points(list(series), window_len=50, max_pvalue=0.001, min_magnitude=min_magnitude)
    return [
        {"index": int(p.index), "before": p.stats.mean_1, "after": p.stats.mean_2, "p_value": float(p.stats.pvalue)}
        for p in points
    ]


print(
    json.dumps(
        [
            {"name": name, "series": series, "min_change": least, "points": found(series, least)}
            for name, series in SERIES.items()
            for least in (0.0, 0.05)
        ],
        indent=1,
    )
)
