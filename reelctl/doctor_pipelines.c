/* what `doctor` says of pipelines: those that the server offers to uploads,
   and those that live workers have */

#include "reelctl/doctor_impl.h"

#include "reelctl/fleet.h"
#include "reelctl/http.h"


void
reel_ctl_doctor_live(reel_ctl_doctor_t *d, reel_ctl_redis_t *r)
{
    reel_error_t  e = { "" };

    d->live = reel_ctl_fleet_live(reel_ctl_queue_workers(r, &e));
}


/* false: something was said of it */
static bool
check_one(reel_ctl_doctor_t *d, const char *name)
{
    size_t       i, lack = 0;
    json_t      *w;
    const char  *who = "";

    json_array_foreach(d->live, i, w) {
        if (!reel_ctl_fleet_plans(w, name)) {
            who = reel_ctl_text(w, "worker");
            lack++;
        }
    }

    if (lack == json_array_size(d->live)) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_FAIL, "pipeline", "the server takes "
                            "uploads for \"%s\", which no worker has: put "
                            "%s.yaml there and send SIGHUP, or take it out of "
                            "reel_pipelines", name, name);

    } else if (lack > 0) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_WARN, "pipeline", "the server takes "
                            "uploads for \"%s\", which %zu of %zu workers "
                            "lack: %s", name, lack, json_array_size(d->live),
                            who);
    }

    return lack == 0;
}


static void
check_offered(reel_ctl_doctor_t *d, const json_t *names)
{
    bool     well = true;
    size_t   i;
    json_t  *name;

    json_array_foreach(names, i, name) {
        if (json_is_string(name)) {
            well = check_one(d, json_string_value(name)) && well;
        }
    }

    if (well) {
        reel_ctl_doctor_say(d, REEL_DOCTOR_OK, "pipeline", "workers have all "
                            "that the server offers (%zu)",
                            json_array_size(names));
    }
}


void
reel_ctl_doctor_pipelines(reel_ctl_doctor_t *d)
{
    json_t             *answer, *names;
    reel_err_t          err = REEL_OK;
    reel_error_t        e = { "" };
    reel_ctl_answer_t   a;

    if (json_array_size(d->live) == 0
        || reel_ctl_opt(d->c, REEL_OPT_KEYS, "REEL_KEYS", NULL) == NULL)
    {
        return;                 /* it was said what is missing */
    }

    if (reel_ctl_api_try(d->c, "GET", "pipelines", "", NULL, &a, &err, &e)
        == REEL_EXIT_OK && err == REEL_OK)
    {
        answer = json_loadb((char *) a.body.data, a.body.len, 0, NULL);
        names = json_object_get(answer, "pipelines");

        if (a.status == 200 && json_is_array(names)) {
            check_offered(d, names);
        } else if (a.status == 404) {
            reel_ctl_doctor_say(d, REEL_DOCTOR_SKIP, "pipeline", "the server "
                                "does not tell what it offers");
        }

        json_decref(answer);
    }

    reel_ctl_answer_release(&a);
}
