"""Records a command in a terminal and writes what the terminal showed as an animated SVG.

    record.py COLUMNS ROWS SPEED SVG SHOWN COMMAND [ARGUMENT…]

SHOWN is what stands behind the prompt. The command runs in a pseudo-terminal of that size. pyte interprets what it prints, so the picture has what a terminal would have shown,
colours included. Time runs SPEED times as fast; the last screen stays for a while before the animation starts again. Whoever prefers
reduced motion sees the last screen only. An exit code other than 0 is an error: a recording of a failure helps nobody.
"""

import fcntl
import html
import os
import pty
import select
import struct
import sys
import termios
import time

import pyte

FRAME_S = 0.5  # at most two pictures a second: a live view that changes once a second needs no more
HOLD_S = 8.0  # how long the last screen stays
CELL_W, CELL_H, PAD = 8.4, 18, 14
FONT = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', 'Liberation Mono', monospace"
BACKGROUND, FOREGROUND = "#161b22", "#d0d7de"
COLOURS = {
    "black": "#484f58", "red": "#ff7b72", "green": "#56d364", "brown": "#e3b341",
    "blue": "#79c0ff", "magenta": "#d2a8ff", "cyan": "#76e3ea", "white": "#f0f6fc",
    "brightblack": "#8b949e", "00cd00": "#56d364", "00d700": "#56d364",
}


def record(columns, rows, shown, command):
    """Runs the command; gives `(seconds since the start, screen)` for each screen that differs from the one before."""
    child, master = pty.fork()
    if child == 0:
        os.environ.update(TERM="xterm-256color", COLUMNS=str(columns), LINES=str(rows))
        os.environ.pop("NO_COLOR", None)
        os.execvp(command[0], command)
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    screen = pyte.Screen(columns, rows)
    stream = pyte.ByteStream(screen)
    stream.feed(f"$ {shown}\r\n".encode())
    start, frames, due = time.monotonic(), [], 0.0
    while True:
        ready, _, _ = select.select([master], [], [], FRAME_S)
        try:
            said = os.read(master, 65536) if ready else None
        except OSError:  # Linux says EIO when the last process has closed its end
            said = b""
        if said:
            stream.feed(said)
        now = time.monotonic() - start
        if now >= due or said == b"":
            picture = [cells(screen, row) for row in range(rows)]
            if not frames or picture != frames[-1][1]:
                frames.append((now, picture))
            due = now + FRAME_S
        if said == b"":
            break
    _, status = os.waitpid(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code != 0:
        sys.exit(f"{' '.join(command)}: exit code {code}")
    return frames


def cells(screen, row):
    """A row as runs of one style: `(column, text, colour, bold, dim)`."""
    runs = []
    for column in range(screen.columns):
        cell = screen.buffer[row][column]
        style = (cell.fg, cell.bold)
        if runs and runs[-1][2:] == style:
            runs[-1] = (runs[-1][0], runs[-1][1] + cell.data, *style)
        else:
            runs.append((column, cell.data, *style))
    return tuple((column, text.rstrip(), *style) for column, text, *style in runs if text.strip())


def colour(name):
    if name == "default":
        return FOREGROUND
    return COLOURS.get(name, f"#{name}" if len(name) == 6 else FOREGROUND)


def line(runs):
    """A row of text, at y = 0."""
    parts = []
    for column, text, name, bold in runs:
        indent = len(text) - len(text.lstrip())
        weight = ' font-weight="bold"' if bold else ""
        x = (column + indent) * CELL_W
        length = len(text.lstrip()) * CELL_W
        parts.append(
            f'<text x="{x:.1f}" textLength="{length:.1f}" fill="{colour(name)}"{weight}>{html.escape(text.lstrip())}</text>'
        )
    return "".join(parts)


def svg(frames, columns, rows, speed):
    """The animation. A row that several screens have is written once."""
    starts = [at / speed for at, _ in frames]
    total = starts[-1] + HOLD_S
    width, height = columns * CELL_W + 2 * PAD, rows * CELL_H + 2 * PAD
    known, defs, groups, rules = {}, [], [], []
    for number, (start, (_, picture)) in enumerate(zip(starts, frames)):
        end = starts[number + 1] if number + 1 < len(starts) else total
        uses = []
        for row, runs in enumerate(picture):
            if not runs:
                continue
            if runs not in known:
                known[runs] = f"l{len(known)}"
                defs.append(f'<g id="{known[runs]}">{line(runs)}</g>')
            uses.append(f'<use href="#{known[runs]}" y="{PAD + (row + 1) * CELL_H - 5}"/>')
        groups.append(f'<g class="f" id="f{number}" transform="translate({PAD} 0)">{"".join(uses)}</g>')
        from_, to = 100 * start / total, 100 * end / total
        hidden = "0%{visibility:hidden}" if number else ""
        after = "" if number + 1 == len(frames) else f"{to:.3f}%,100%{{visibility:hidden}}"
        rules.append(
            f"@keyframes k{number}{{{hidden}{from_:.3f}%{{visibility:visible}}{after}}}#f{number}{{animation-name:k{number}}}"
        )
    last = len(frames) - 1
    return f"""<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height}" width="{width:.0f}" height="{height}" role="img" aria-label="A run in a terminal: a live view, then the verdict">
<style>text{{font:14px {FONT};white-space:pre}}.f{{visibility:hidden;animation:{total:.2f}s step-end infinite}}{"".join(rules)}
@media (prefers-reduced-motion:reduce){{.f{{animation:none}}#f{last}{{visibility:visible}}}}</style>
<defs>{"".join(defs)}</defs>
<rect width="100%" height="100%" rx="8" fill="{BACKGROUND}"/>
{chr(10).join(groups)}
</svg>
"""


def main():
    columns, rows, speed, out, shown, *command = sys.argv[1:]
    columns, rows, speed = int(columns), int(rows), float(speed)
    frames = record(columns, rows, shown, command)
    with open(out, "w", encoding="utf-8") as file:
        file.write(svg(frames, columns, rows, speed))
    print(f"{out}: {len(frames)} screens of {columns} x {rows}")


main()
