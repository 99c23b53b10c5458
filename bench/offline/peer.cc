// peer.cc - what simdjson needs to load and parse the given files (DOM), one after the other.
// Prints: seconds peak_rss_bytes input_bytes. A bench peer only; plumb does not depend on simdjson.
#include <simdjson.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>

int main(int argc, char **argv)
{
    auto from = std::chrono::steady_clock::now();
    size_t bytes = 0;
    for (int i = 1; i < argc; i++) {
        simdjson::dom::parser parser;
        simdjson::padded_string text;
        if (simdjson::padded_string::load(argv[i]).get(text)) {
            std::fprintf(stderr, "cannot read %s\n", argv[i]);
            return 1;
        }
        simdjson::dom::element document;
        if (auto failed = parser.parse(text).get(document)) {
            std::fprintf(stderr, "%s: %s\n", argv[i], simdjson::error_message(failed));
            return 1;
        }
        bytes += text.size();
    }
    std::chrono::duration<double> took = std::chrono::steady_clock::now() - from;
    rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    std::printf("%.4f %ld %zu\n", took.count(), usage.ru_maxrss * 1024L, bytes);
    return 0;
}
