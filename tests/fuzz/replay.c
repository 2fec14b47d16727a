/* Gives a fuzz target the files named on the command line, where no fuzzer is linked. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

static int replay(const char *path)
{
    FILE *f = fopen(path, "rb");
    uint8_t *bytes;
    long length;

    if (!f || fseek(f, 0, SEEK_END) != 0 || (length = ftell(f)) < 0) {
        perror(path);
        return 1;
    }
    rewind(f);
    bytes = malloc(length ? (size_t)length : 1);
    if (!bytes || fread(bytes, 1, (size_t)length, f) != (size_t)length) {
        perror(path);
        return 1;
    }
    fclose(f);
    LLVMFuzzerTestOneInput(bytes, (size_t)length);
    free(bytes);
    return 0;
}

int main(int count, char **paths)
{
    int failed = count < 2;

    for (int i = 1; i < count; i++)
        failed |= replay(paths[i]);
    printf("%d inputs\n", count - 1);
    return failed;
}
