/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <stdlib.h>

int main(void)
{
	Suite *suite = suite_create(unit_name);
	SRunner *runner;
	int failed;

	for (const struct unit_case *c = unit_cases; c->test; c++) {
		TCase *tcase = tcase_create((*c->test)->name);

		tcase_set_timeout(tcase, 60);
		if (c->rows)
			tcase_add_loop_test(tcase, *c->test, 0, c->rows);
		else
			tcase_add_test(tcase, *c->test);
		suite_add_tcase(suite, tcase);
	}
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
