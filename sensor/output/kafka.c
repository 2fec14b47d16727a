/* Kafka: an idempotent producer that waits for all replicas. The key of a message is the event's
 * id, so that its revisions stay in order; its header `id` tells repeats. */
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "output/connection.h"
#include "output/http.h"

#define PATIENCE 10000 /* ms */
#define SLICE    200

struct kafka {
    struct policy_output config;
    char secret[SECRET_SIZE];
    rd_kafka_t *producer; /* NULL: to be made */
    bool arrived[SPOOL_BATCH];
    char reason[128]; /* why the last one did not */
};

static void on_report(rd_kafka_t *producer, const rd_kafka_message_t *m, void *context)
{
    struct kafka *k = context;

    (void)producer;
    if (!m->err)
        k->arrived[(size_t)m->_private] = true;
    else
        text_copy(k->reason, sizeof k->reason, rd_kafka_err2str(m->err));
}

/* Its own words on standard error would be one a second while a broker is away. */
static void on_log(const rd_kafka_t *producer, int level, const char *facility, const char *text)
{
    (void)producer;
    (void)level;
    (void)facility;
    (void)text;
}

static void on_error(rd_kafka_t *producer, int error, const char *reason, void *context)
{
    (void)producer;
    (void)error;
    text_copy(((struct kafka *)context)->reason, sizeof((struct kafka *)0)->reason, reason);
}

static int set_all(rd_kafka_conf_t *conf, const struct kafka *k, char error[OUTPUT_ERROR])
{
    const struct policy_output *c = &k->config;
    bool tls = c->ca[0] || c->certificate[0];
    const char *const settings[][2] = {
        {"bootstrap.servers", c->server},
        {"client.id", "sealdns"},
        {"enable.idempotence", "true"},
        {"message.timeout.ms", "10000"},
        {"socket.timeout.ms", "10000"},
        {"linger.ms", "5"},
        {"security.protocol",
         c->user[0] ? (tls ? "sasl_ssl" : "sasl_plaintext") : (tls ? "ssl" : "plaintext")},
        {"sasl.mechanism", c->user[0] ? "SCRAM-SHA-256" : ""},
        {"sasl.username", c->user},
        {"sasl.password", k->secret},
        {"ssl.ca.location", c->ca},
        {"ssl.certificate.location", c->certificate},
        {"ssl.key.location", c->key},
    };

    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i][1][0] && rd_kafka_conf_set(conf, settings[i][0], settings[i][1], error,
                                                   OUTPUT_ERROR) != RD_KAFKA_CONF_OK)
            return SD_ECONF;
    return SD_OK;
}

static int begin(struct kafka *k, char error[OUTPUT_ERROR])
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_dr_msg_cb(conf, on_report);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (set_all(conf, k, error) == SD_OK)
        k->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, error, OUTPUT_ERROR);
    if (k->producer)
        return SD_OK;
    rd_kafka_conf_destroy(conf);
    return SD_ECONF;
}

/* What is still on its way is given up: it comes again from the spool. */
static void end(struct kafka *k)
{
    if (!k->producer)
        return;
    rd_kafka_purge(k->producer, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(k->producer, 100);
    rd_kafka_destroy(k->producer);
    k->producer = NULL;
}

static void close_feed(void *state)
{
    end(state);
    explicit_bzero(((struct kafka *)state)->secret, SECRET_SIZE);
    free(state);
}

static void *open_feed(const struct policy_output *config, char error[OUTPUT_ERROR])
{
    struct kafka *k;

    if (connection_check(config, error) != SD_OK)
        return NULL;
    k = calloc(1, sizeof *k);
    if (!k)
        return NULL;
    k->config = *config;
    if (http_secret(config->secret, k->secret, error) == SD_OK && begin(k, error) == SD_OK)
        return k;
    close_feed(k);
    return NULL;
}

static int produce(struct kafka *k, const struct spool_line *line, size_t place)
{
    size_t id = strcspn(line->mark.key, "-");
    rd_kafka_resp_err_t failed;

    failed = rd_kafka_producev(
        k->producer, RD_KAFKA_V_TOPIC(k->config.topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(line->mark.key, id), RD_KAFKA_V_VALUE((void *)line->text, line->length),
        RD_KAFKA_V_HEADER("id", line->mark.key, strlen(line->mark.key)),
        RD_KAFKA_V_OPAQUE((void *)place), RD_KAFKA_V_END);
    if (failed)
        text_copy(k->reason, sizeof k->reason, rd_kafka_err2str(failed));
    return failed ? SD_EIO : SD_OK;
}

/* Until all have an answer, or nobody waits any longer. */
static void wait_for_reports(struct kafka *k, const struct patience *p)
{
    for (int waited = 0; waited < PATIENCE && !p->over(p->context); waited += SLICE)
        if (rd_kafka_flush(k->producer, SLICE) == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
}

static int deliver(void *state, struct output_batch *b)
{
    struct kafka *k = state;

    k->reason[0] = '\0';
    memset(k->arrived, 0, sizeof k->arrived);
    if (!k->producer && begin(k, b->error) != SD_OK)
        return SD_EIO;
    for (size_t i = 0; i < b->count; i++)
        if (produce(k, &b->lines[i], i) != SD_OK)
            break;
    wait_for_reports(k, &b->patience);
    while (b->taken < b->count && k->arrived[b->taken])
        b->taken++;
    if (b->taken == b->count)
        return SD_OK;
    snprintf(b->error, sizeof b->error, "kafka at %.100s: %.120s", k->config.server,
             k->reason[0] ? k->reason : "no answer");
    end(k); /* the next one starts with a clean sequence */
    return SD_EIO;
}

const struct output_feed feed_kafka = {.type = "kafka",
                                       .open = open_feed,
                                       .close = close_feed,
                                       .deliver = deliver,
                                       .acknowledges = true};
