#include "CBPFObjects.h"
