# One script and what it needs of what is shared, as a C string
# (scripts/embed-lua).  own: the script's file, which is the last one.

# What begins at the left margin of a shared file is one local: parts are
# these in their order, and the script as the last one.
/^-- rare: /   { mark = "rare" }
/^-- inline: / { mark = "inline" }
/^[ \t]*--/ || /^[ \t]*$/ { next }
{ sub(/[ \t]+-- .*$/, "") }
FILENAME == own && !last { last = ++n }
!last && /^local / {
    name = $2 == "function" ? $3 : $2
    sub(/\(.*/, "", name)
    names[++n] = name
    kind[n] = mark
    mark = ""
}
{ parts[n] = parts[n] $0 "\n" }

# what stands before a name that is made: "local a, ", "for ", "function f("
BEGIN {
    names_before = "(^|[^A-Za-z0-9_])(local +|for +|function +" \
                   "|function *[A-Za-z0-9_.:]*\\()" \
                   "([A-Za-z0-9_]+,[ \t\n]*)*$"
}

# the build must not go on with what would mean something else in C
function die(why) {
    print "embed-lua: " own ": " why >"/dev/stderr"
    failed = 1
    exit 1
}

# has a word that is replaced, or that what is replaced may use, another
# meaning here?  before, after: what stands around it
function guard(word, before, after) {
    if (before ~ /(^|[^.])[.:]$/) {
        die("." word " is a field, and " word " is shared")
    }
    if (before ~ names_before && !own_name(word, before)) {
        die("local " word ": that name is shared")
    }
    if ((word in returned) && substr(after, 1, 1) != "(") {
        die(word " stands where its calls do: it is no value")
    }
    if ((word in value) && after ~ /^[ \t\n]*=([^=]|$)/) {
        die(word " is shared, and nothing is assigned to it")
    }
}

# is this where what is just being written gets its name?
function own_name(word, before) {
    return word == writing && before ~ /^(local |function |local function )$/
}

# may it be evaluated any number of times?
function simple(text) {
    return text ~ /^([A-Za-z0-9_.]+(\[[A-Za-z0-9_]+\])?|\047[^\047]*\047)?$/
}

# LIMIT = 7 * 24, a string, or K .. and a string; "": it is none
function constant(name, text,    v) {
    v = substr(text, length("local " name " = ") + 1)
    sub(/\n$/, "", v)
    return name ~ /^[A-Z_]+$/ \
           && v ~ /^([0-9 *^]+|(K \.\. )?\047[^\047]*\047)$/ ? "(" v ")" : ""
}

# what stands between the bracket that text begins with and the one that
# closes it goes to args[1...]; their number; rest: what is behind
function arguments(text, args,    depth, count, c, i, quoted) {
    args[count = 1] = ""
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "\047") {
            quoted = !quoted
        } else if (quoted) {
            ;
        } else if (c ~ /[({[]/) {
            depth++
        } else if (c ~ /[])}]/) {
            depth--
        } else if (c == "," && depth == 1) {
            args[++count] = ""
            continue
        }
        if (depth == 0) {
            break
        }
        args[count] = args[count] c
    }
    rest = substr(text, i + 1)
    args[1] = substr(args[1], 2)
    for (i = 1; i <= count; i++) {
        gsub(/^[ \t\n]+|[ \t\n]+$/, "", args[i])
    }
    return count
}

# an argument in the place of a parameter; "": it was left out
function operand(text) {
    return text == "" ? "nil" : simple(text) ? text : "(" text ")"
}

# what an inline function returns, and where its parameters stand there
function learn(name, text,    head, params, i) {
    head = substr(text, 1, index(text, "\n"))
    text = substr(text, length(head) + 1)
    sub(/^[ \t]*(return )?/, "", text)
    sub(/\nend\n$/, "", text)
    for (i = arguments(substr(head, index(head, "(")), params); i > 0; i--) {
        place[name, params[i]] = i
    }
    # a call stays one: its values may be several
    text = put(text)
    returned[name] = text ~ /^[a-z.:]+\(.*\)$/ ? text : "(" text ")"
    while (match(text, /\047[^\047]*\047|[A-Za-z_][A-Za-z0-9_]*/)) {
        i = substr(text, RSTART, RLENGTH)
        if ((name, i) in place) {
            times[name, place[name, i]]++
        }
        text = substr(text, RSTART + RLENGTH)
    }
}

# the value of a call of an inline function, of which text has the arguments
function inlined(name, text,    args, i, k, behind) {
    k = arguments(text, args)
    behind = rest
    for (i = 1; i <= k; i++) {
        if (times[name, i] != 1 && !simple(args[i])) {
            die("argument " i " of " name "(), " args[i] ", is evaluated " \
                times[name, i] + 0 " times: give it a name first")
        }
        args[i] = operand(put(args[i]))
    }
    text = fill(name, returned[name], args)
    rest = behind
    return text
}

function fill(name, text, args,    out, word, at) {
    while (match(text, /\047[^\047]*\047|[A-Za-z_][A-Za-z0-9_]*/)) {
        word = substr(text, RSTART, RLENGTH)
        out = out substr(text, 1, RSTART - 1)
        text = substr(text, RSTART + RLENGTH)
        if ((name, word) in place) {
            at = place[name, word]
            word = at in args ? args[at] : "nil"
        }
        out = out word
    }
    return out text
}

function put(text,    out, word) {
    while (match(text, /\047[^\047]*\047|[A-Za-z_][A-Za-z0-9_]*/)) {
        word = substr(text, RSTART, RLENGTH)
        out = out substr(text, 1, RSTART - 1)
        text = substr(text, RSTART + RLENGTH)
        if (word in shared) {
            guard(word, out, text)
        }
        if (word in returned) {
            word = inlined(word, text)
            text = rest
        } else if (word in value) {
            word = value[word]
        }
        out = out word
    }
    return out text
}

# removes the parts that are not needed
function choose(    i, j, k, words, seen, more) {
    do {
        more = 0
        for (i = 1; i <= n; i++) {
            if (!(i in seen) && (i == last || names[i] in used)) {
                seen[i] = more = 1
                k = split(parts[i], words, /[^A-Za-z0-9_]+/)
                for (j = 1; j <= k; j++) {
                    used[words[j]] = 1
                }
            }
        }
    } while (more)

    for (i = 1; i <= n; i++) {
        if (!(i in seen)) {
            parts[i] = ""
        }
    }
}

# what stands elsewhere than where it is written
function settle(    i, v) {
    for (i = 1; i < last; i++) {
        if (parts[i] == "") {
            continue
        }
        if (kind[i] == "rare") {
            value[names[i]] = "rare." names[i]
        } else if ((v = constant(names[i], parts[i])) != "") {
            value[names[i]] = v
            parts[i] = ""
        }
    }
    for (i = 1; i < last; i++) {
        if (kind[i] == "inline" && parts[i] != "") {
            learn(names[i], parts[i])
            parts[i] = ""
        }
    }
}

END {
    if (failed) {
        exit 1
    }
    choose()
    settle()

    for (i = 1; i < last; i++) {
        shared[names[i]] = 1
    }
    for (i = 1; i < last; i++) {
        writing = names[i]
        if (kind[i] == "rare" && parts[i] != "") {
            sub(/^local /, "", parts[i])
            seldom = seldom (seldom == "" ? "if" : "elseif") " name == \047" \
                     names[i] "\047 then\n" put(parts[i])
        } else {
            text = text put(parts[i])
        }
    }
    if (seldom != "") {
        text = "local rare = {}\n" text \
               "setmetatable(rare, { __index = function(_, name)\n" \
               seldom "end\nreturn rawget(rare, name)\nend })\n"
    }
    writing = ""
    text = text put(parts[last])
    gsub(/redis\.call\(/, "call(", text)
    text = "local call = redis.call\n" text
    sub(/\n$/, "", text)
    gsub(/\\/, "\\\\", text)
    gsub(/"/, "\\\"", text)
    gsub(/\n/, "\\n\"\n    \"", text)
    print "    \"" text "\\n\""
}
