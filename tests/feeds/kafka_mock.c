/* librdkafka's mock cluster as a program of its own: kafka_mock TOPIC OUT. Prints its address, and
 * appends the value of each message that it holds to OUT. It holds them in memory: when it is
 * killed they are gone. */
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <stdio.h>
#include <stdlib.h>

enum { PARTITIONS = 2 };

static rd_kafka_t *consumer_of(const char *servers, const char *topic)
{
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(PARTITIONS);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    char error[256];
    rd_kafka_t *consumer;

    rd_kafka_conf_set(conf, "bootstrap.servers", servers, error, sizeof error);
    rd_kafka_conf_set(conf, "group.id", "test", error, sizeof error);
    consumer = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error, sizeof error);
    for (int partition = 0; partition < PARTITIONS; partition++)
        rd_kafka_topic_partition_list_add(topics, topic, partition)->offset =
            RD_KAFKA_OFFSET_BEGINNING;
    if (!consumer || rd_kafka_assign(consumer, topics) != RD_KAFKA_RESP_ERR_NO_ERROR)
        exit(1);
    rd_kafka_topic_partition_list_destroy(topics);
    return consumer;
}

int main(int argc, char **argv)
{
    char error[256];
    rd_kafka_t *host = rd_kafka_new(RD_KAFKA_PRODUCER, rd_kafka_conf_new(), error, sizeof error),
               *consumer;
    rd_kafka_mock_cluster_t *cluster = host ? rd_kafka_mock_cluster_new(host, 1) : NULL;
    FILE *out = argc == 3 ? fopen(argv[2], "a") : NULL;

    if (!cluster || !out ||
        rd_kafka_mock_topic_create(cluster, argv[1], PARTITIONS, 1) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 1;
    puts(rd_kafka_mock_cluster_bootstraps(cluster));
    fflush(stdout);
    consumer = consumer_of(rd_kafka_mock_cluster_bootstraps(cluster), argv[1]);
    for (;;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(consumer, 1000);

        if (m && !m->err)
            fprintf(out, "%.*s\n", (int)m->len, (const char *)m->payload);
        fflush(out);
        if (m)
            rd_kafka_message_destroy(m);
    }
}
