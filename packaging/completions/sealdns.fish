# Completion of sealdns for fish; the program itself knows what may stand where. Files are offered beside it.
function __sealdns_offers
    set -l words (commandline -opc)
    set -l typed (commandline -ct)
    sealdns --complete $words[2..-1] "$typed" 2>/dev/null
end
complete -c sealdns -n "test (count (commandline -opc)) -eq 1" -f
complete -c sealdns -a "(__sealdns_offers)"
