"""What chunks cost in quality: two files of each rendition against their
source, scaled to its size; the mean SSIM of the luma over all pictures."""
import re
import subprocess

MEAN = re.compile(r"SSIM Y:([\d.]+)")


def mean(source, path, size):
    w, h = size
    done = subprocess.run(
        ["ffmpeg", "-nostdin", "-hide_banner", "-i", path, "-i", source,
         "-lavfi", "[1:v]scale=w=%d:h=%d:flags=bicubic[s];[0:v][s]ssim"
         % (w, h), "-f", "null", "-"],
        check=True, text=True, capture_output=True)
    return float(MEAN.findall(done.stderr)[-1])


def drops(source, pairs):
    """size, ours, the other's of each; pairs: {size: (ours, other)}"""
    for size, both in sorted(pairs.items(), reverse=True):
        yield (size, *(mean(source, p, size) for p in both))
