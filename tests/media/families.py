"""The families of inputs: how ffmpeg makes one of each, what it stands for and
what reel shall make of it.  docs/inputs.md has the same rows.

Every second the picture turns white and a tone sounds, both for a tenth of a
second, so that their distance can be measured in what comes out.
"""

import os
import struct
import subprocess

SECONDS = 3
AT = 0.48                       # of the flash within its second

# What is expected: size and rate of the largest rendition, channels of the
# sound (None: there is none, or any rate), number of texts, poster; looks:
# "sdr" or "progressive", to be seen in what comes out; whether flashes and tones
# are to be found; code: it is refused with that; warns: codes of the warnings.
DEFAULTS = {"size": "320x180", "rate": 25.0, "seconds": SECONDS,
            "channels": 2, "texts": 0, "poster": True, "looks": None,
            "sync": True, "code": None, "warns": []}


class Family:
    def __init__(self, name, about, make, **traits):
        self.name, self.about, self.make = name, about, make
        assert set(traits) <= set(DEFAULTS), traits
        self.expect = {**DEFAULTS, **traits}
        if self.expect["code"] or not (self.expect["size"]
                                       and self.expect["channels"]):
            self.expect["sync"] = False


def flash(size="320x180", rate="25", seconds=SECONDS, extra=""):
    return ["-f", "lavfi", "-i",
            "testsrc2=s=%s:r=%s:d=%s,lutyuv=y='val*0.6',drawbox=c=white:t=fill"
            ":enable='between(mod(t,1),%g,%g)'%s"
            % (size, rate, seconds, AT - 0.001, AT + 0.099, extra)]


def tone(rate=48000, seconds=SECONDS, channels=2):
    return ["-f", "lavfi", "-i",
            "aevalsrc='%s':s=%d:d=%s:c=%s" % (
                "|".join(["if(between(mod(t,1),%g,%g),0.5*sin(2*PI*997*t),0)"
                          % (AT, AT + 0.1)] * channels),
                rate, seconds,
                {1: "mono", 2: "stereo", 6: "5.1"}[channels])]


H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p",
        "-g", "25"]
AAC = ["-c:a", "aac", "-b:a", "96k"]


def ffmpeg(*argv):
    subprocess.run(["ffmpeg", "-nostdin", "-v", "error", "-y", *argv],
                   check=True, stdin=subprocess.DEVNULL)


def encoded(*options, video=None, audio=None):
    def make(path):
        ffmpeg(*(flash() if video is None else video),
               *(tone() if audio is None else audio), *options, path)
    return make


def plain(path):
    encoded(*H264, *AAC)(path)


def temporary(path, suffix):
    return "%s.tmp%s" % (path, suffix)


def matrix(values):
    """the display matrix of a movie's first track (ISO 14496-12, 8.3.2)"""
    def make(path):
        plain(path)
        with open(path, "r+b") as f:
            data = f.read()
            f.seek(data.index(b"tkhd") + 44)
            f.write(struct.pack(">9i", *[v << (30 if i % 3 == 2 else 16)
                                         for i, v in enumerate(values)]))
    return make


def copied(*options, suffix=".mp4", source=plain, before=()):
    """another container or cut of a first file"""
    def make(path):
        first = temporary(path, suffix)
        source(first)
        ffmpeg(*before, "-i", first, *options, path)
        os.unlink(first)
    return make


def cut(percent, *options):
    def make(path):
        encoded(*H264, *AAC, *options)(path)
        os.truncate(path, os.path.getsize(path) * percent // 100)
    return make


def covered(*options):
    """sound with a picture of its cover"""
    def make(path):
        art = temporary(path, ".jpg")
        ffmpeg("-f", "lavfi", "-i", "testsrc2=s=200x200:d=0.04",
               "-frames:v", "1", art)
        ffmpeg(*tone(), "-i", art, "-map", "0", "-map", "1", "-c:v", "copy",
               "-disposition:v", "attached_pic", *options, path)
        os.unlink(art)
    return make


def subtitled(path):
    text = temporary(path, ".srt")
    with open(text, "w") as f:
        f.write("1\n00:00:00,500 --> 00:00:01,500\nHello\n\n"
                "2\n00:00:02,000 --> 00:00:02,500\nAgain\n")
    ffmpeg(*flash(), *tone(), "-i", text, "-map", "0", "-map", "1",
           "-map", "2", "-c:s", "srt", "-metadata:s:s:0", "language=eng",
           *H264, "-c:a", "ac3", path)
    os.unlink(text)


def jumping(path):
    """a recorder's clock, set back, then ahead"""
    with open(path, "wb") as out:
        for offset in (100, 0, 5000):
            part = temporary(path, ".ts")
            encoded(*H264, "-bf", "2", *AAC, "-output_ts_offset",
                    str(offset))(part)
            with open(part, "rb") as f:
                out.write(f.read())
            os.unlink(part)


def late_picture(path):
    ffmpeg("-itsoffset", "1", *flash(), *tone(seconds=SECONDS + 1), *H264,
           *AAC, path)


def written(data):
    def make(path):
        with open(path, "wb") as f:
            f.write(data)
    return make


def named(text):
    def make(path):
        import hostile                  # which makes films of this module
        written(getattr(hostile, text))(path)
    return make


INTERLACE = ",tinterlace=interleave_top,fieldorder=tff"
HDR = ["-c:v", "libx265", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le",
       "-x265-params", "log-level=none", "-tag:v", "hvc1", "-color_primaries", "bt2020", "-colorspace",
       "bt2020nc"]

ALL = [
    # phones and browsers
    Family("plain.mp4", "H.264 and AAC", plain),
    Family("rotated.mp4", "display matrix, a quarter clockwise",
           matrix([0, 1, 0, -1, 0, 0, 180, 0, 1]), size="180x320"),
    Family("upside-down.mp4", "display matrix, half a turn",
           matrix([-1, 0, 0, 0, -1, 0, 320, 180, 1])),
    Family("mirrored.mp4", "display matrix, left and right swapped",
           matrix([-1, 0, 0, 0, 1, 0, 320, 0, 1])),
    Family("variable.mp4", "a phone's variable rate",
           encoded(*H264, *AAC, "-vsync", "passthrough", video=flash(
               rate="30", extra=",select='not(mod(n,7)*lt(mod(n,31),9))'")),
           rate=None),
    Family("rate-60.mp4", "60 pictures a second",
           encoded(*H264, *AAC, video=flash(rate="60")), rate=60.0),
    Family("rate-120.mp4", "slow motion: every second picture is kept",
           encoded(*H264, *AAC, video=flash(rate="120")), rate=60.0,
           warns=["RATE_REDUCED"]),
    Family("rate-ntsc.mp4", "30000/1001",
           encoded(*H264, *AAC, video=flash(rate="30000/1001")), rate=29.97),
    Family("hdr10.mp4", "HEVC 10 bit, PQ, BT.2020: tone-mapped",
           encoded(*HDR, "-color_trc", "smpte2084", *AAC), looks="sdr"),
    Family("hlg.mp4", "HEVC 10 bit, HLG, BT.2020: tone-mapped",
           encoded(*HDR, "-color_trc", "arib-std-b67", *AAC), looks="sdr"),
    Family("full-range.mp4", "H.264 in full range",
           encoded(*H264[:4], "-pix_fmt", "yuvj420p", "-g", "25", *AAC)),
    Family("vp8.webm", "a browser's recording",
           encoded("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used",
                   "8", "-c:a", "libopus")),
    Family("fragmented.mp4", "movie fragments",
           encoded(*H264, *AAC, "-movflags", "frag_keyframe+empty_moov")),
    Family("edit-list.mp4", "cut without encoding: begins within a GOP",
           copied("-c", "copy", before=("-ss", "0.6")), seconds=2.4),
    Family("late-picture.mp4", "pictures begin a second behind the sound",
           late_picture, seconds=SECONDS + 1),
    Family("negative.mp4", "an edit list into negative decode times",
           encoded(*H264, "-bf", "2", *AAC, "-movflags",
                   "negative_cts_offsets")),
    Family("animated.gif", "a silent film",
           lambda path: ffmpeg(*flash(rate="10"), path),
           channels=None, rate=10.0),
    Family("animated.webp", "WebP: pictures over pictures, a silent film",
           lambda path: ffmpeg(*flash(rate="10"), "-c:v", "libwebp_anim",
                               path),
           channels=None, rate=10.0),
    # sizes
    Family("anamorphic.mp4", "pixels twice as wide as high",
           encoded(*H264, *AAC, video=flash(extra=",setsar=2")),
           size="640x180"),
    Family("odd-size.webm", "161x121: a line and a column go",
           encoded("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used",
                   "8", "-c:a", "libopus", video=flash("161x121")),
           size="160x120"),
    Family("tiny.mp4", "16x16", encoded(*H264, *AAC, video=flash("16x16")),
           size="16x16"),
    Family("tall.mp4", "48x960", encoded(*H264, *AAC, video=flash("48x960")),
           size="48x960"),
    Family("one-picture.mp4", "one picture, no sound",
           lambda path: ffmpeg(*flash(), "-frames:v", "1", *H264, path),
           rate=None, channels=None, seconds=0.04),
    # studios
    Family("422-10bit.mp4", "H.264 4:2:2 with 10 bit",
           encoded(*H264[:4], "-pix_fmt", "yuv422p10le", *AAC)),
    Family("444.mp4", "H.264 4:4:4",
           encoded(*H264[:4], "-pix_fmt", "yuv444p", *AAC)),
    Family("prores.mov", "ProRes and PCM with 24 bit",
           encoded("-c:v", "prores_ks", "-profile:v", "0", "-c:a",
                   "pcm_s24le")),
    Family("alpha.mov", "ProRes 4444 with alpha, over black",
           encoded("-c:v", "prores_ks", "-profile:v", "4444", "-pix_fmt",
                   "yuva444p10le", "-c:a", "pcm_s16le",
                   video=flash(extra=",format=yuva444p10le"))),
    Family("mpeg2.mxf", "MXF: MPEG-2 and PCM",
           encoded("-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "pcm_s16le")),
    Family("v210.mov", "uncompressed, 4:2:2 with 10 bit",
           encoded("-c:v", "v210", "-c:a", "pcm_s24le")),
    Family("uncompressed.avi", "uncompressed, 4:2:2",
           encoded("-c:v", "rawvideo", "-pix_fmt", "uyvy422", "-c:a",
                   "pcm_s16le")),
    Family("tape.dv", "a camcorder's tape: DV, interlaced, wide pixels",
           encoded("-target", "pal-dv"), size="1024x576",
           looks="progressive"),
    Family("mpeg2.mpg", "a program stream: MPEG-2 and MP2",
           encoded("-c:v", "mpeg2video", "-b:v", "2M", "-c:a", "mp2")),
    Family("jumping.ts", "its clock is set back, then ahead", jumping,
           seconds=3 * SECONDS, sync=False, warns=["CLOCK_JUMPS"]),
    Family("interlaced.ts", "interlaced and flagged so",
           encoded("-c:v", "mpeg2video", "-b:v", "4M", "-flags",
                   "+ildct+ilme", "-top", "1", "-c:a", "ac3",
                   video=flash(rate="50", extra=INTERLACE)),
           looks="progressive"),
    Family("interlaced-unsaid.avi", "interlaced, and nothing says so",
           encoded("-c:v", "mpeg4", "-b:v", "4M", "-c:a", "mp3", video=flash(
               rate="50", extra=INTERLACE + ",setfield=prog")),
           looks="progressive"),
    # transport streams
    Family("plain.ts", "a transport stream", encoded(*H264, *AAC)),
    Family("blu-ray.m2ts", "192-byte packets, AC-3",
           encoded(*H264, "-c:a", "ac3", "-mpegts_m2ts_mode", "1")),
    Family("eac3.ts", "H.264 and E-AC-3",
           encoded(*H264, "-c:a", "eac3")),
    Family("contribution.ts", "MPEG-2 and PCM of SMPTE 302M",
           encoded("-c:v", "mpeg2video", "-b:v", "4M", "-c:a", "s302m",
                   "-strict", "-2")),
    Family("dts.mkv", "H.264 and DTS",
           encoded(*H264, "-c:a", "dca", "-strict", "-2")),
    # older ones
    Family("mpeg4.avi", "MPEG-4 part 2 and MP3",
           encoded("-c:v", "mpeg4", "-b:v", "1M", "-c:a", "mp3")),
    Family("motion.avi", "Motion JPEG and PCM",
           encoded("-c:v", "mjpeg", "-q:v", "4", "-c:a", "pcm_s16le")),
    Family("flash.flv", "Sorenson H.263 and MP3",
           encoded("-c:v", "flv", "-b:v", "1M", "-c:a", "mp3", "-ar",
                   "44100")),
    Family("phone.3gp", "H.263 and AAC in mono",
           encoded("-c:v", "h263", "-b:v", "500k", "-ac", "1", *AAC,
                   video=flash("176x144")), size="176x144"),
    Family("theora.ogv", "Theora and Vorbis",
           encoded("-c:v", "libtheora", "-b:v", "1M", "-c:a", "libvorbis")),
    Family("windows.wmv", "WMV 2 and WMA 2",
           encoded("-c:v", "wmv2", "-b:v", "1M", "-c:a", "wmav2")),
    Family("subtitles.mkv", "H.264, AC-3 and a text", subtitled, texts=1),
    # sound
    Family("surround.mp4", "5.1, mixed down to two",
           encoded(*H264, *AAC, audio=tone(channels=6))),
    Family("mono-8k.mov", "telephone sound: A-law, mono, 8 kHz",
           encoded(*H264, "-c:a", "pcm_alaw", audio=tone(8000, channels=1))),
    Family("sound-192k.mov", "PCM of 192 kHz",
           encoded(*H264, "-c:a", "pcm_s24le", audio=tone(192000))),
    Family("no-sound.mp4", "no sound",
           lambda path: ffmpeg(*flash(), *H264, path), channels=None),
    Family("silent.mp4", "a track of silence",
           encoded(*H264, *AAC, audio=["-f", "lavfi", "-i",
                   "anullsrc=r=48000:cl=stereo,atrim=duration=3"]),
           sync=False),
    Family("sound.m4a", "AAC alone", lambda path: ffmpeg(*tone(), *AAC, path),
           size=None, poster=False),
    Family("sound.wav", "PCM alone", lambda path: ffmpeg(*tone(), path),
           size=None, poster=False),
    Family("sound.aiff", "PCM alone, of a Mac",
           lambda path: ffmpeg(*tone(), path), size=None, poster=False),
    Family("sound.ac3", "AC-3 alone",
           lambda path: ffmpeg(*tone(), "-c:a", "ac3", path), size=None,
           poster=False),
    Family("sound.eac3", "E-AC-3 alone",
           lambda path: ffmpeg(*tone(), "-c:a", "eac3", path), size=None,
           poster=False),
    Family("memo.amr", "a phone's memo: AMR",
           written(b"#!AMR\n" + 50 * SECONDS * (b"\x3c" + bytes(31))),
           size=None, poster=False),
    Family("cover.mp3", "MP3 with its cover",
           covered("-c:a", "mp3"), size=None),
    Family("cover.flac", "FLAC with its cover",
           covered("-c:a", "flac"), size=None),
    Family("cover.m4a", "AAC with its cover", covered(*AAC), size=None),
    # damaged
    Family("cut.mp4", "the end is missing, the index stands",
           cut(70, "-movflags", "+faststart"), seconds=2.1,
           warns=["ENDS_EARLY", "DAMAGED"]),
    Family("cut.ts", "the end is missing", cut(70), seconds=2.1,
           warns=["ENDS_EARLY", "DAMAGED"]),
    Family("cut-index.mp4", "the end is missing and the index with it",
           cut(70), code="TRUNCATED"),
    Family("empty.mp4", "no byte", written(b""), code="NOT_A_VIDEO"),
    Family("text.mp4", "a text", written(b"This is no film.\n" * 100),
           code="NOT_A_VIDEO"),
    # what points at other files or addresses
    Family("hls.mp4", "an HLS playlist that names /etc/passwd",
           named("HLS"), code="FORBIDDEN_FORMAT"),
    Family("dash.mp4", "a DASH manifest that names an address",
           named("DASH"), code="FORBIDDEN_FORMAT"),
    Family("concat.mp4", "a concat script", named("CONCAT"),
           code="FORBIDDEN_FORMAT"),
    Family("session.mp4", "a session description (SDP)", named("SESSION"),
           code="FORBIDDEN_FORMAT"),
    Family("address.mp4", "an RTSP address", named("RTSP"),
           code="FORBIDDEN_FORMAT"),
    Family("drawing.mp4", "an SVG that includes a file", named("DRAWING"),
           code="NOT_A_VIDEO"),
]

BY_NAME = {f.name: f for f in ALL}
assert len(BY_NAME) == len(ALL)
