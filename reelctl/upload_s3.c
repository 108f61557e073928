/*
 * Parts with a key: S3's multipart upload from its begin to its end, and
 * what --resume makes of one that stopped in between.
 */

#include <stdlib.h>

#include "reelctl/presign.h"
#include "reelctl/s3.h"


typedef struct {
    const reel_ctl_how_t   *how;
    const reel_ctl_file_t  *file;
    const char             *bucket;
    const char             *name;
    bool                    completing;     /* it was asked for already */
    reel_ctl_s3_t           s3;
    reel_ctl_state_t        state;
    reel_ctl_parts_t        parts;
} door_t;


static void
save(door_t *s)
{
    json_t  *j;

    j = reel_ctl_state_new(&s->parts, s->completing);

    if (j != NULL) {
        json_object_set_new(j, "host", json_string(s->s3.server.origin));
        json_object_set_new(j, "bucket", json_string(s->bucket));
        json_object_set_new(j, "key", json_string(s->name));
        json_object_set_new(j, "upload", json_string(s->s3.upload));
        json_object_set_new(j, "asset", json_string(s->s3.asset));
        json_object_set_new(j, "completing", json_boolean(s->completing));
    }

    reel_ctl_state_save(&s->state, j);
}


static int
create(door_t *s)
{
    int  code;

    s->s3.upload[0] = '\0';
    s->completing = false;
    code = reel_ctl_s3_create(&s->s3);

    if (code == REEL_EXIT_OK) {
        save(s);
    }

    return code;
}


/* noted first: should the answer be lost, it can be asked for again */
static int
complete(door_t *s, reel_ctl_outcome_t *out)
{
    s->completing = true;
    save(s);

    return reel_ctl_s3_complete(&s->s3, &s->parts, out);
}


static int
call_part(reel_ctl_parts_t *p, size_t i, reel_ctl_call_t *call)
{
    door_t  *s = p->door;

    return reel_ctl_s3_part(&s->s3, p, i, call);
}


/* as kept; REEL_EXIT_FAILED, told, when it cannot be gone on with */
static int
recall(door_t *s)
{
    int          code;
    uint64_t     part_size = 0;
    const char  *host, *bucket, *name, *upload, *asset;
    json_t      *was = s->state.was;

    code = reel_ctl_state_check(was, s->file, &part_size);
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (json_unpack(was, "{s:s, s:s, s:s, s:s, s:s}", "host", &host,
                    "bucket", &bucket, "key", &name, "upload", &upload,
                    "asset", &asset) != 0
        || strcmp(host, s->s3.server.origin) != 0
        || strcmp(bucket, s->bucket) != 0 || strcmp(name, s->name) != 0
        || upload[0] == '\0'
        || reel_str_copy(s->s3.upload, sizeof(s->s3.upload), reel_str(upload))
           != REEL_OK
        || reel_str_copy(s->s3.asset, sizeof(s->s3.asset), reel_str(asset))
           != REEL_OK)
    {
        return reel_ctl_fail(REEL_EXIT_FAILED, "what is kept of the earlier "
                             "upload is not of this one: begin anew, "
                             "without --resume");
    }

    s->completing = json_is_true(json_object_get(was, "completing"));
    reel_ctl_parts_release(&s->parts);

    return reel_ctl_parts_init(&s->parts, s->how, s->file, part_size);
}


/* the bytes of one that nobody will go on with need not wait to expire */
static void
abandon(door_t *s)
{
    const char  *upload;

    upload = json_string_value(json_object_get(s->state.was, "upload"));

    if (upload != NULL && upload[0] != '\0'
        && reel_str_copy(s->s3.upload, sizeof(s->s3.upload),
                         reel_str(upload)) == REEL_OK
        && reel_ctl_s3_abort(&s->s3))
    {
        reel_ctl_warn("an earlier upload of %s was not whole and is dropped "
                      "now; --resume would have gone on with it",
                      s->file->name);
    }
}


static int
begin(door_t *s)
{
    int          code;
    char        *real;
    reel_buf_t   identity;

    code = reel_ctl_key(s->how->c);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_server(s->how->c, &s->s3.server);
    }

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_name_path(s->how->c, &s->s3.server, s->name, &s->bucket,
                                  &s->s3.path);
    }

    if (code != REEL_EXIT_OK) {
        return code;
    }

    real = realpath(s->file->path, NULL);
    reel_buf_init(&identity, 16384);
    reel_buf_printf(&identity, "%s\n%s\n%s\n%s", s->s3.server.origin,
                    reel_buf_cstr(&s->s3.path), s->name,
                    real != NULL ? real : s->file->path);
    reel_ctl_state_open(&s->state, &identity);
    reel_buf_release(&identity);
    free(real);

    return REEL_EXIT_OK;
}


/*
 * Marks what is there.  When it was to be completed and is gone, it was
 * completed: asking again then tells the answer that was lost.
 */
static int
resume(door_t *s, reel_ctl_outcome_t *out)
{
    int  code;

    code = recall(s);

    if (code == REEL_EXIT_OK) {
        code = reel_ctl_s3_list(&s->s3, &s->parts);
    }

    if (code == REEL_EXIT_NOTFOUND && s->completing) {
        reel_ctl_state_parts(s->state.was, &s->parts);
        return complete(s, out);
    }

    if (code == REEL_EXIT_NOTFOUND) {
        reel_ctl_warn("the server no longer has the earlier upload of %s; "
                      "it begins anew", s->file->name);
        code = create(s);
    }

    return code;
}


static int
choose(door_t *s, reel_ctl_outcome_t *out)
{
    int  code;

    if (s->state.busy && s->how->resume) {
        return reel_ctl_fail(REEL_EXIT_FAILED, "another reelctl is uploading "
                             "%s just now", s->file->name);
    }

    if (s->state.was != NULL && s->how->resume) {
        return resume(s, out);
    }

    code = reel_ctl_parts_init(&s->parts, s->how, s->file,
                               s->how->part_size != 0
                               ? s->how->part_size
                               : reel_ctl_part_size(s->file->size,
                                                    REEL_CTL_PARTS_MAX / 2));
    if (code != REEL_EXIT_OK) {
        return code;
    }

    if (s->state.busy) {
        reel_ctl_warn("another reelctl is uploading %s just now: this upload "
                      "cannot be resumed", s->file->name);
        free(s->state.path);
        s->state.path = NULL;

    } else if (s->state.was != NULL) {
        abandon(s);

    } else if (s->how->resume) {
        reel_ctl_warn("nothing of %s is there to go on with; it begins anew",
                      s->file->name);
    }

    return create(s);
}


int
reel_ctl_upload_s3(const reel_ctl_how_t *how, const reel_ctl_file_t *f,
    reel_ctl_outcome_t *out)
{
    int     code;
    door_t  s = { .how = how, .file = f, .state.fd = -1, .s3.how = how };

    s.name = reel_ctl_opt(how->c, REEL_OPT_NAME, NULL, f->name);
    reel_buf_init(&s.s3.path, 16384);

    code = begin(&s);

    if (code == REEL_EXIT_OK) {
        code = choose(&s, out);
    }

    if (code == REEL_EXIT_OK && out->etag[0] == '\0') {
        s.parts.summed = true;
        s.parts.call = call_part;
        s.parts.door = &s;
        code = reel_ctl_parts_send(&s.parts);

        if (code == REEL_EXIT_OK) {
            code = reel_ctl_file_same(f);
        }

        if (code == REEL_EXIT_OK) {
            code = complete(&s, out);
        }
    }

    reel_ctl_state_end(&s.state, &s.parts, code);
    reel_ctl_parts_release(&s.parts);
    reel_ctl_state_close(&s.state);
    reel_ctl_server_release(&s.s3.server);
    reel_buf_release(&s.s3.path);

    return code;
}
