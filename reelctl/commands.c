/* the table of commands: a new one is a row here and a cmd_*.c */

#include <stddef.h>

#include "reelctl/ctl.h"


#define LIMITS REEL_OPT_BUCKET, REEL_OPT_EXPIRES, REEL_OPT_MAX_BYTES,         \
    REEL_OPT_MAX_DURATION, REEL_OPT_TYPE, REEL_OPT_SHA256,                    \
    REEL_OPT_REEL_NAME, REEL_OPT_PIPELINE, REEL_OPT_META, REEL_OPT_ASSET

#define REDIS REEL_OPT_REDIS, REEL_OPT_REDIS_DB, REEL_OPT_REDIS_USER,         \
    REEL_OPT_REDIS_PASSWORD, REEL_OPT_REDIS_SENTINEL,                         \
    REEL_OPT_REDIS_SENTINEL_USER, REEL_OPT_REDIS_SENTINEL_PASSWORD

static const unsigned char  none[] = { 0 };
static const unsigned char  presign[] = { LIMITS, 0 };
static const unsigned char  upload[] = {
    REEL_OPT_WATCH, REEL_OPT_TIMEOUT, REEL_OPT_ID_FILE, REEL_OPT_URL,
    REEL_OPT_NAME, REEL_OPT_RETRIES, REEL_OPT_PARTS, REEL_OPT_PART_SIZE,
    REEL_OPT_RESUME, REEL_OPT_PART_URLS, LIMITS, 0
};
static const unsigned char  watch[] = { REEL_OPT_TIMEOUT, 0 };
static const unsigned char  list[] = {
    REEL_OPT_LIMIT, REEL_OPT_STATE, REEL_OPT_CURSOR, REEL_OPT_ALL, 0
};
static const unsigned char  uploads[] = {
    REEL_OPT_LIMIT, REEL_OPT_UPLOAD_STATE, REEL_OPT_CURSOR, REEL_OPT_ALL, 0
};
static const unsigned char  meta[] = {
    REEL_OPT_TITLE, REEL_OPT_CREATOR, REEL_OPT_PASSTHROUGH, 0
};
static const unsigned char  token[] = { REEL_OPT_EXPIRES, REEL_OPT_SUB, 0 };
static const unsigned char  play_token[] = {
    REEL_OPT_TOKEN_KEYS, REEL_OPT_KID, REEL_OPT_PLAY_EXPIRES, REEL_OPT_FROM,
    REEL_OPT_AUDIENCE, REEL_OPT_NET, REEL_OPT_COUNTRY, REEL_OPT_REFERRER,
    REEL_OPT_MAX_HEIGHT, REEL_OPT_START, REEL_OPT_END, 0
};
static const unsigned char  keygen[] = {
    REEL_OPT_BUCKETS, REEL_OPT_PROJECT, REEL_OPT_ID, REEL_OPT_ADD, 0
};
static const unsigned char  jobs[] = {
    REDIS, 0
};
static const unsigned char  tasks[] = {
    REEL_OPT_QUARANTINED, REDIS, 0
};
static const unsigned char  doctor[] = {
    REEL_OPT_STORE, REDIS, 0
};
static const unsigned char  check[] = {
    REEL_OPT_PROFILE, REEL_OPT_RULES, REEL_OPT_FULL, REEL_OPT_TIMEOUT, 0
};
static const unsigned char  pipeline[] = {
    REEL_OPT_SOURCE, REEL_OPT_FORMAT, REDIS, 0
};


const reel_ctl_command_t  reel_ctl_commands[] = {
    { "presign", "METHOD NAME|/PATH", "Print a presigned URL",
      "A NAME is signed below the upload location, in the bucket; a /PATH "
      "as it stands,\nwith its query: reelctl presign GET "
      "/api/assets/ID/events",
      reel_ctl_cmd_presign, 2, 2, presign },
    { "upload", "FILE", "Upload a file and print the asset's id",
      "From 16 MiB on it goes in parts, some at once. What breaks is tried "
      "again; after\nCtrl-C or a crash the same command with --resume goes on "
      "with the parts that lack.\nPresigned URLs need no key: --url takes one "
      "PUT, --part-urls a JSON file\n"
      "{\"parts\": [\"URL of part 1\", …], \"part_size\": bytes, "
      "\"list\": \"URL\",\n\"complete\": \"URL\"}, of which only parts must "
      "be there.",
      reel_ctl_cmd_upload, 1, 1, upload },
    { "status", "ID", "Show an asset", "", reel_ctl_cmd_status, 1, 1, none },
    { "watch", "ID", "Show progress until the asset is ready or errored",
      "On a terminal a bar for each rendition, else a line for each change.",
      reel_ctl_cmd_watch, 1, 1, watch },
    { "list", "", "List assets, newest first", "", reel_ctl_cmd_list, 0, 0,
      list },
    { "uploads", "", "List uploads, newest first", "", reel_ctl_cmd_uploads,
      0, 0, uploads },
    { "abort", "ID", "Abort an upload, and drop its bytes", "",
      reel_ctl_cmd_abort, 1, 1, none },
    { "delete", "ID", "Delete an asset and all its files", "",
      reel_ctl_cmd_delete, 1, 1, none },
    { "retry", "ID", "Encode an errored asset again", "",
      reel_ctl_cmd_retry, 1, 1, none },
    { "cancel", "ID", "Stop making an asset; retry begins it again", "",
      reel_ctl_cmd_cancel, 1, 1, none },
    { "webhook", "ID", "Send the webhook of an asset's last event again",
      "Its id is the one of the first time, by which receivers know it.",
      reel_ctl_cmd_webhook, 1, 1, none },
    { "meta", "ID", "Show or change title, creator and passthrough", "",
      reel_ctl_cmd_meta, 1, 1, meta },
    { "play-url", "ID", "Print the HLS and DASH URLs", "",
      reel_ctl_cmd_play_url, 1, 1, none },
    { "token", "", "Print a bearer token for the API",
      "Who has it may do in the key's project whatever the API can do.",
      reel_ctl_cmd_token, 0, 0, token },
    { "play-token", "SUB", "Print a token that permits to play",
      "SUB is an asset's id, a film's path below its location, or a prefix "
      "with '*'.\nIt stands in the URL in place of the id: "
      "/play/TOKEN/master.m3u8",
      reel_ctl_cmd_play_token, 1, 1, play_token },
    { "keygen", "[FILE]", "Make an access key, in a file of mode 0600",
      "Prints the key's id; the secret is in the file only.",
      reel_ctl_cmd_keygen, 0, 1, keygen },
    { "jobs", "[JOB]", "List unfinished jobs, or the tasks of one", "",
      reel_ctl_cmd_jobs, 0, 1, jobs },
    { "tasks", "", "List running tasks, or those that were given up", "",
      reel_ctl_cmd_tasks, 0, 0, tasks },
    { "quarantine", "[show|retry|drop JOB]",
      "List tasks that were given up, or act on one",
      "JOB is a job's id, or JOB/TASK. retry makes the asset again, by the "
      "API and with a key\nof its project; drop forgets the entry, and the "
      "asset stays as it is.",
      reel_ctl_cmd_quarantine, 0, 2, jobs },
    { "workers", "", "List workers, what they have and what is free", "",
      reel_ctl_cmd_workers, 0, 0, jobs },
    { "top", "", "Show ready tasks, workers and running tasks",
      "On a terminal again every 2 s.", reel_ctl_cmd_top, 0, 0, jobs },
    { "shards", "[N]", "Show the shards of Redis, or divide it into N",
      "Another number needs all jobs ended and all workers stopped; the "
      "assets' lists move.",
      reel_ctl_cmd_shards, 0, 1, jobs },
    { "doctor", "", "Check keys, store, Redis and server",
      "What is not named is skipped. Exit code 1 when anything failed.",
      reel_ctl_cmd_doctor, 0, 0, doctor },
    { "check", "[URL|ID]", "Check HLS and DASH against the rules of players",
      "The URL of a master.m3u8, a media playlist, a manifest.mpd, or of an "
      "asset's folder:\nthen both formats. A line each rule: its number, "
      "MUST or SHOULD, ok, FAIL or n/a.",
      reel_ctl_cmd_check, 0, 1, check },
    { "pipeline", "check|show FILE", "Check a pipeline's file, or show its "
      "tasks",
      "check tells all that is wrong, file:line:column; with --redis also what "
      "its tasks need\nand no live worker has. show prints the tasks as they "
      "are written, with --source those\nthat the film would have: as text, "
      "JSON or for Graphviz.",
      reel_ctl_cmd_pipeline, 2, 2, pipeline },
    { NULL, NULL, NULL, NULL, NULL, 0, 0, NULL }
};
