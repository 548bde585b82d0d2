#include "CEBPF.h"
