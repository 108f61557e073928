# The rules of scripts/check-includes, which runs this over all sources.

BEGIN {
    # what each area of lib may include of the others
    deps["base"] = ""
    deps["codec"] = "base"
    deps["text"] = "base"
    deps["index"] = "base"
    deps["crypt"] = "base"
    deps["store"] = "base"
    deps["auth"] = "base crypt"
    deps["job"] = "base index codec"
    deps["upload"] = "base store job crypt"
    deps["hook"] = "base store job crypt"
    deps["conf"] = "base crypt store index job"
    deps["mp4"] = "base index codec crypt"
    deps["ts"] = "base index codec crypt"
    deps["title"] = "base index"
    deps["manifest"] = "base index codec crypt"

    # and of the system: libc's plain headers, and these
    n = split("assert ctype errno float inttypes limits math stdalign " \
              "stdarg stdbool stddef stdint stdio stdlib stdnoreturn " \
              "string strings", c_headers, " ")
    for (i = 1; i <= n; i++) {
        is_c[c_headers[i] ".h"] = 1
    }

    system_of["store"] = "dirent.h fcntl.h unistd.h sys/stat.h sys/types.h " \
                         "sys/file.h sys/random.h"
    system_of["upload"] = "stdatomic.h sys/random.h"
    system_of["crypt"] = "openssl/"
    system_of["auth"] = "openssl/ jansson.h time.h arpa/inet.h malloc.h"
    system_of["job"] = "jansson.h"
    system_of["hook"] = "jansson.h time.h"
    system_of["title"] = "jansson.h"
    system_of["conf"] = "yaml.h fcntl.h unistd.h sys/stat.h"   # files

    hiredis_in["workerd"] = "^workerd/redis(_conn|_handshake|_reply)?\\.[ch]$"
    hiredis_in["ngx_module"] = "ngx_module/ngx_http_reel_redis_reply.c"
    hiredis_in["reelctl"] = "^reelctl/redis(_conn)?\\.[ch]$"

    never = "sprintf vsprintf strcpy strcat strncat strtok strtok_r atoi " \
            "atol atoll gets sscanf vsscanf redisCommand redisvCommand " \
            "redisAppendCommand redisvAppendCommand redisAsyncCommand " \
            "redisvAsyncCommand redisFormatCommand redisvFormatCommand"
    not_in_lib = "time clock clock_gettime gettimeofday getenv " \
                 "secure_getenv setenv socket connect syslog vsyslog " \
                 "printf fprintf puts perror exit abort fork sleep usleep " \
                 "nanosleep rand random srand"
}

function has(list, word) {
    return index(" " list " ", " " word " ") != 0
}

function bad(text) {
    print FILENAME ":" line ": " text
    status = 1
}

FNR == 1 {
    in_comment = 0
    in_macro = 0
    area = FILENAME
    sub(/\/.*/, "", area)
    part = ""

    if (area == "lib") {
        part = FILENAME
        sub(/^lib\//, "", part)
        sub(/\/.*/, "", part)
    }

    if (area == "lib" && !(part in deps)) {
        line = 2
        bad("lib/" part ": no rule says what it may include")
    }
}

# the line without comments and without what stands in literals
function strip(s,    out, i, c, two, quote) {
    out = ""

    for (i = 1; i <= length(s); i++) {
        c = substr(s, i, 1)
        two = substr(s, i, 2)

        if (in_comment) {
            if (two == "*/") {
                in_comment = 0
                out = out " "
                i++
            }

        } else if (quote != "") {
            if (c == "\\") {
                i++

            } else if (c == quote) {
                quote = ""
                out = out c
            }

        } else if (two == "/*") {
            in_comment = 1
            i++

        } else if (two == "//") {
            bad("a // comment")
            return out

        } else {
            if (c == "\"" || c == "'") {
                quote = c
            }

            out = out c
        }
    }

    return out
}

# a header of ours, by its path from the root
function check_own(path,    to) {
    if (path == "lua_scripts.h" && FILENAME == "lib/job/keys.c") {
        return
    }

    to = path
    sub(/\/.*/, "", to)

    if (to == path || !has("lib ngx_module workerd reelctl", to)) {
        bad("\"" path "\": name it from the root, as \"lib/base/buf.h\"")
        return
    }

    if (area != "lib") {
        if (to != "lib" && to != area) {
            bad(area " may not include \"" path "\"")
        }

        return
    }

    sub(/^lib\//, "", path)
    to = path
    sub(/\/.*/, "", to)

    if (to != part && !has(deps[part], to)) {
        bad("lib/" part " may not include \"lib/" path "\"")
    }
}

function check_lib_system(path,    list, n, i) {
    if (path in is_c) {
        return
    }

    n = split(system_of[part], list, " ")

    for (i = 1; i <= n; i++) {
        if (path == list[i] \
            || (list[i] ~ /\/$/ && index(path, list[i]) == 1))
        {
            return
        }
    }

    bad("lib/" part " may not include <" path ">")
}

# at most one file of an area: a fixed one, or the first that we meet
function only(what, path, file) {
    if (FILENAME != file && !(file ~ /^\^/ && FILENAME ~ file)) {
        bad("<" path ">: " what " stays in " file)
    }
}

function check_system(path) {
    if (area == "lib") {
        check_lib_system(path)
        return
    }

    if (path ~ /^ngx_/ && area != "ngx_module") {
        bad("<" path ">: nginx stays in ngx_module")
    }

    if (path ~ /^lib(av|sw|postproc)[a-z]*\// \
        && FILENAME !~ /^workerd\/av_[a-z0-9_]*\.[ch]$/)
    {
        bad("<" path ">: libav stays in workerd/av_*")
    }

    if (path ~ /^hiredis/) {
        only("hiredis", path, hiredis_in[area])
    }

    if (path == "yaml.h") {
        only("yaml", path, "lib/conf/yaml.c")
    }

    if (path ~ /^openssl\//) {
        bad("<" path ">: openssl stays in lib/crypt and lib/auth")
    }

    if (path ~ /^curl\// && area == "ngx_module") {
        bad("<" path ">: no curl in ngx_module")
    }
}

function check_include(s,    path) {
    path = s
    sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", path)
    sub(/[">].*/, "", path)

    if (path ~ /(^|\/)\.\.\//) {
        bad(path ": one include root, no ../")

    } else if (s ~ /include[ \t]*"/) {
        check_own(path)

    } else {
        check_system(path)
    }
}

function check_calls(s,    word, before) {
    while (match(s, /[A-Za-z_][A-Za-z0-9_]*[ \t]*\(/)) {
        word = substr(s, RSTART, RLENGTH - 1)
        before = substr(s, 1, RSTART - 1)
        s = substr(s, RSTART + RLENGTH)
        sub(/[ \t]*$/, "", word)

        if (has(never, word)) {
            bad(word "() is never called")
        }

        # the name of a member is not the function
        if (area == "lib" && before !~ /(->|\.)[ \t]*$/ \
            && (has(not_in_lib, word) || word ~ /^pthread_/))
        {
            bad("lib has no " word "(): clock, environment, sockets, " \
                "threads and output are the caller's")
        }
    }
}

{
    line = FNR
    code = strip($0)

    if (code ~ /^[ \t]*#[ \t]*include/) {
        if (area != "tests") {  # they look into everything
            check_include($0)
        }
        next
    }

    if (code ~ /^[ \t]*#[ \t]*define/) {
        in_macro = 1
        macro_line = FNR
    }

    # those of tests make whole functions
    if (in_macro && area != "tests" \
        && code ~ /(^|[^A-Za-z0-9_])return([^A-Za-z0-9_]|$)/)
    {
        line = macro_line
        bad("a macro that returns")
        line = FNR
    }

    if (code !~ /\\[ \t]*$/) {
        in_macro = 0
    }

    check_calls(code)
}

END {
    exit status
}
