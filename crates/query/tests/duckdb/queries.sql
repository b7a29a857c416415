-- Queries that must be answered as DuckDB answers them. A line each; `generate.py` asks DuckDB.
-- Sets of data sets: one (complete), two (complete and interrupted), partial (interrupted).
-- one
SELECT COUNT(*) FROM results
SELECT COUNT(*) AS n, COUNT(distance) AS measured, COUNT(DISTINCT samples) AS sizes FROM results
SELECT COUNT(*) - 3000 AS n FROM results
SELECT MAX(replicate * 1000000000) AS most FROM results
SELECT SUM(dimension * 2000000000) AS total FROM results
SELECT SUM(replicate) AS total, AVG(replicate) AS mean FROM results
SELECT paradigm, SUM(distance) FROM results GROUP BY paradigm ORDER BY SUM(distance) DESC
SELECT paradigm FROM results GROUP BY paradigm ORDER BY SUM(distance) DESC LIMIT 1
SELECT paradigm, SUM(distance) AS total FROM results GROUP BY paradigm ORDER BY SUM(distance) DESC LIMIT 1
SELECT paradigm, AVG(distance) FROM results GROUP BY paradigm ORDER BY COUNT(*), SUM(distance)
SELECT samples, paradigm FROM results GROUP BY samples, paradigm ORDER BY samples DESC, SUM(distance) DESC
SELECT paradigm, COUNT(*) AS n FROM results GROUP BY paradigm ORDER BY -n, paradigm DESC
SELECT paradigm, MAX(distance) - MIN(distance) AS spread FROM results GROUP BY paradigm ORDER BY spread / 2 DESC
SELECT COUNT(*) AS n, QUANTILE_CONT(distance, 0.5) AS q FROM results ORDER BY n
SELECT CORR(distance, loss_clean) AS r, COVAR_SAMP(distance, loss_clean) AS c, COVAR_POP(distance, loss_clean) AS p FROM results ORDER BY r
SELECT paradigm, CORR(distance, leakage) AS r FROM results GROUP BY paradigm ORDER BY paradigm
SELECT samples, alignment, MEDIAN(distance), QUANTILE_CONT(distance, 0.1), QUANTILE_DISC(distance, 0.7) FROM results GROUP BY samples, alignment ORDER BY 1, 2
SELECT MEDIAN(replicate), QUANTILE_CONT(replicate, 0.05), QUANTILE_DISC(replicate, 0.25) FROM results
SELECT MIN(gap), MAX(gap), MIN(leakage) FROM results
SELECT paradigm, STDDEV(distance), VARIANCE(distance), STDDEV_POP(distance), VAR_POP(distance) FROM results GROUP BY paradigm ORDER BY paradigm
SELECT STDDEV(distance) / SQRT(COUNT(distance)) AS se FROM results WHERE paradigm = 'supervised'
SELECT DISTINCT samples, COUNT(*) OVER (ORDER BY samples) AS n FROM results ORDER BY samples
SELECT replicate, samples, alignment, SUM(distance) OVER (PARTITION BY samples ORDER BY replicate) AS s, AVG(distance) OVER (PARTITION BY samples ORDER BY replicate, alignment) AS m FROM results WHERE paradigm = 'supervised' AND augmentation_scale = 2 ORDER BY samples, replicate, alignment
SELECT replicate, samples, alignment, augmentation_scale, MIN(distance) OVER (PARTITION BY samples ORDER BY replicate, alignment, augmentation_scale) AS lo, MAX(distance) OVER (PARTITION BY samples ORDER BY replicate, alignment, augmentation_scale) AS hi, COUNT(distance) OVER (PARTITION BY samples ORDER BY replicate, alignment, augmentation_scale ROWS UNBOUNDED PRECEDING) AS n FROM results WHERE paradigm = 'supervised' ORDER BY samples, replicate, alignment, augmentation_scale
SELECT replicate, alignment, distance, RANK() OVER (ORDER BY alignment) AS r, DENSE_RANK() OVER (ORDER BY alignment) AS d, ROW_NUMBER() OVER (ORDER BY alignment, replicate) AS n FROM results WHERE paradigm = 'supervised' AND samples = 4 AND augmentation_scale = 2 ORDER BY n
SELECT replicate, alignment, LAG(distance) OVER (PARTITION BY alignment ORDER BY replicate) AS before, LEAD(distance, 2) OVER (PARTITION BY alignment ORDER BY replicate) AS later FROM results WHERE paradigm = 'reconstruction' AND samples = 4 AND augmentation_scale = 2 ORDER BY alignment, replicate
SELECT replicate, alignment, FIRST_VALUE(distance) OVER (PARTITION BY alignment ORDER BY replicate) AS f, COUNT(*) OVER () AS n, AVG(distance) OVER (PARTITION BY alignment) AS m FROM results WHERE paradigm = 'reconstruction' AND samples = 4 AND augmentation_scale = 2 ORDER BY alignment, replicate
SELECT paradigm, alignment, SUM(distance) AS s, RANK() OVER (PARTITION BY alignment ORDER BY SUM(distance)) AS place FROM results GROUP BY paradigm, alignment ORDER BY alignment, place
SELECT paradigm, replicate, distance FROM results WHERE augmentation_scale = 2 AND samples = 4 AND alignment = 10 QUALIFY ROW_NUMBER() OVER (PARTITION BY paradigm ORDER BY distance) = 1 ORDER BY paradigm
SELECT replicate, ROW_NUMBER() OVER w AS n, SUM(distance) OVER w AS s FROM results WHERE paradigm = 'supervised' AND samples = 4 AND augmentation_scale = 2 AND alignment = 10 WINDOW w AS (ORDER BY replicate) ORDER BY n
SELECT DISTINCT -samples % 7 AS a, samples % -7 AS b, -samples // 2 AS c, (-samples) % 2.5 AS d FROM results ORDER BY a
SELECT DISTINCT samples / 2 AS half, samples // 2 AS whole, -7 // 2 AS down, -7 % 3 AS rest FROM results ORDER BY half
SELECT ROUND(0.5) AS a, ROUND(-0.5) AS b, ROUND(2.346, 2) AS c, CAST(CAST(2.7 AS DOUBLE) AS INTEGER) AS d, CAST(CAST(2.5 AS DOUBLE) AS INTEGER) AS e, TRUNC(CAST(-2.7 AS DOUBLE)) AS f
SELECT DISTINCT samples, LOG10(samples) AS a, LN(samples) AS b, LOG2(samples) AS c, EXP(samples) AS d, POWER(samples, 0.5) AS e, SQRT(samples) AS f, ABS(-samples) AS g, SIGN(-samples) AS h FROM results ORDER BY samples
SELECT DISTINCT paradigm, UPPER(paradigm) AS u, LENGTH(paradigm) AS l, SUBSTR(paradigm, 2, 3) AS s, paradigm || '!' AS c, REPLACE(paradigm, '-', ' ') AS r, LEFT(paradigm, 2) AS b, STARTS_WITH(paradigm, 's') AS w FROM results ORDER BY paradigm
SELECT COUNT(*) AS n FROM results WHERE paradigm LIKE '%construct%' OR paradigm ILIKE 'SUPER_ISED'
SELECT COUNT(*) AS n FROM results WHERE paradigm NOT LIKE 's%' AND NOT (samples = 3 OR alignment > 1e0)
SELECT COUNT(*) AS n FROM results WHERE alignment IN (1e-1, 10) AND samples NOT IN (3, 5.5)
SELECT COUNT(*) AS n FROM results WHERE alignment BETWEEN 0.05 AND 0.2 AND replicate NOT BETWEEN 2 AND 3
SELECT COUNT(*) AS n FROM results WHERE distance IS NULL OR distance > 0.1
SELECT COUNT(*) AS n FROM results WHERE NOT distance > 0.1
SELECT COUNT(*) AS n FROM results WHERE distance NOT IN (0.1, NULL)
SELECT COUNT(*) AS n FROM results WHERE status <> 'ok' AND distance IS NOT DISTINCT FROM NULL
SELECT status, COUNT(*) AS n FROM results GROUP BY status ORDER BY n DESC, status
SELECT SUM(distance) AS s, AVG(distance) AS m, COUNT(*) AS n, MAX(distance) AS x FROM results WHERE paradigm = 'nobody'
SELECT paradigm, SUM(distance) AS s FROM results WHERE paradigm = 'nobody' GROUP BY paradigm
SELECT SUM(CASE WHEN distance > 0.1 THEN 1 ELSE 0 END) AS over, SUM(1) AS all_rows, COUNT(*) FILTER (WHERE alignment > 1) AS n, AVG(distance) FILTER (WHERE paradigm = 'supervised') AS m FROM results
SELECT CASE paradigm WHEN 'supervised' THEN 'labels' WHEN 'reconstruction' THEN 'inputs' ELSE 'views' END AS kind, COUNT(*) AS n FROM results GROUP BY kind ORDER BY kind
SELECT COALESCE(distance, -1) AS d, NULLIF(replicate, 0) AS r, GREATEST(replicate, 2) AS g, LEAST(alignment, samples) AS l FROM results ORDER BY replicate, samples, augmentation_scale, alignment, paradigm LIMIT 7
SELECT replicate, paradigm, distance FROM results ORDER BY distance DESC, replicate, samples, augmentation_scale, alignment, paradigm LIMIT 10
SELECT replicate, paradigm, distance FROM results ORDER BY distance NULLS FIRST, replicate DESC, samples, augmentation_scale, alignment, paradigm LIMIT 10 OFFSET 3
SELECT paradigm FROM results ORDER BY samples * alignment DESC, replicate, augmentation_scale, paradigm LIMIT 5
SELECT DISTINCT samples, alignment FROM results ORDER BY ALL
SELECT samples, alignment, COUNT(*) AS n FROM results GROUP BY ALL ORDER BY ALL DESC
SELECT samples * 2 AS twice, COUNT(*) AS n FROM results GROUP BY samples * 2 ORDER BY samples * 2 DESC
SELECT samples + alignment AS sum, AVG(distance) AS m FROM results GROUP BY sum HAVING COUNT(*) > 10 AND AVG(distance) IS NOT NULL ORDER BY sum
SELECT PARADIGM, Count(*) AS N FROM Results WHERE Samples = 3 GROUP BY Paradigm ORDER BY n, paradigm
SELECT r.Paradigm, R."samples" FROM RESULTS AS R GROUP BY r.paradigm, r.samples ORDER BY 1, 2
SELECT samples, samples, paradigm AS samples FROM results GROUP BY samples, paradigm ORDER BY paradigm, 1
SELECT * EXCLUDE (leakage, gap) FROM results WHERE replicate = 1 AND samples = 4 ORDER BY augmentation_scale, alignment, paradigm
SELECT 1 AS one FROM results WHERE replicate = 0 LIMIT 3
SELECT 1 + 1 AS two, 'a' AS a, NULL AS nothing, TRUE AS yes, 1e3 AS k
SELECT n, COUNT(*) AS m FROM (SELECT paradigm, COUNT(distance) AS n FROM results GROUP BY paradigm, samples) GROUP BY n ORDER BY n
WITH a AS (SELECT samples, AVG(distance) AS m FROM results GROUP BY samples), b AS (SELECT MAX(m) AS top FROM a) SELECT a.samples, a.m / b.top AS share FROM a, b ORDER BY a.samples
SELECT COUNT(*) AS n FROM results WHERE distance > (SELECT AVG(distance) FROM results)
SELECT paradigm, AVG(distance) - (SELECT AVG(distance) FROM results) AS d FROM results GROUP BY paradigm ORDER BY d
SELECT COUNT(*) AS n FROM results WHERE alignment IN (SELECT MAX(alignment) FROM results) AND replicate NOT IN (SELECT replicate FROM results WHERE replicate < 2)
SELECT COUNT(*) AS n FROM results WHERE replicate NOT IN (SELECT NULLIF(replicate, 1) FROM results)
SELECT a.replicate, a.distance - b.distance AS gain FROM results a JOIN results b USING (replicate, samples, augmentation_scale, alignment) WHERE a.paradigm = 'supervised' AND b.paradigm = 'reconstruction' AND samples = 4 AND augmentation_scale = 2 ORDER BY replicate, alignment
SELECT a.replicate, b.distance FROM results AS a LEFT JOIN results AS b ON a.replicate = b.replicate AND a.samples = b.samples AND a.alignment = b.alignment AND a.augmentation_scale = b.augmentation_scale AND b.paradigm = a.paradigm WHERE a.paradigm = 'supervised' AND a.samples = 4 ORDER BY a.replicate, a.augmentation_scale, a.alignment
SELECT s.samples, COUNT(*) AS n FROM (SELECT DISTINCT samples FROM results) s JOIN results r ON r.samples <= s.samples GROUP BY s.samples ORDER BY s.samples
SELECT COUNT(*) AS n FROM (SELECT samples FROM results UNION ALL SELECT replicate FROM results) AS u
SELECT COUNT(*) FROM (SELECT * FROM results UNION ALL SELECT * FROM results)
SELECT samples FROM results UNION SELECT replicate FROM results ORDER BY samples
SELECT replicate FROM results INTERSECT SELECT samples FROM results ORDER BY 1
SELECT replicate FROM results EXCEPT SELECT samples FROM results ORDER BY replicate DESC LIMIT 3
SELECT * FROM summary ORDER BY samples, augmentation_scale, alignment, paradigm
SELECT paradigm, SUM(rows) AS n, MAX(distance_count) AS c, SUM(distance_mean * distance_count) / SUM(distance_count) AS m FROM summary GROUP BY paradigm ORDER BY m DESC
SELECT * FROM best ORDER BY samples, augmentation_scale, alignment
SELECT winner, COUNT(*) AS n FROM best GROUP BY winner ORDER BY n DESC, winner
SELECT b.winner, s.distance_mean - b.distance AS zero FROM best b JOIN summary s ON b.samples = s.samples AND b.augmentation_scale = s.augmentation_scale AND b.alignment = s.alignment AND b.winner = s.paradigm ORDER BY b.samples, b.augmentation_scale, b.alignment
SELECT CAST(0 AS DOUBLE) / 1 AS a, MOD(-7, 3) AS b, 1 BETWEEN 1 AND NULL AS c, NULL IN (1) AS d, 1 IN (2, NULL) AS e, NOT (NULL AND FALSE) AS f, IF(TRUE, 1, 2) AS g
SELECT TRIM('  a ') AS a, CONCAT(1, 'a', NULL) AS b, LENGTH('é') AS c, GREATEST('a', 'b') AS d, LEFT('abc', -1) AS e, RIGHT('abc', 2) AS f, SUBSTR('abc', 2) AS g
SELECT replicate, leakage, SUM(leakage) OVER (ORDER BY replicate, paradigm, samples, augmentation_scale, alignment) AS s, AVG(leakage) OVER (ORDER BY replicate) AS m, MIN(leakage) OVER (ORDER BY replicate, paradigm, samples, augmentation_scale, alignment) AS lo FROM results ORDER BY replicate, paradigm, samples, augmentation_scale, alignment
SELECT paradigm, COUNT(*) OVER (PARTITION BY paradigm) AS n, SUM(COUNT(*)) OVER () AS total, MEDIAN(AVG(distance)) OVER () AS m FROM results GROUP BY paradigm ORDER BY paradigm
SELECT samples FROM results WHERE alignment * samples > 35 AND paradigm = 'supervised' GROUP BY samples HAVING SUM(distance) > (SELECT MIN(distance) FROM results) ORDER BY samples
SELECT a.samples, b.alignment, COUNT(*) AS n FROM results a, results b WHERE a.replicate = b.replicate AND a.samples < b.samples AND a.paradigm = 'supervised' AND b.paradigm = a.paradigm GROUP BY a.samples, b.alignment ORDER BY b.alignment
SELECT l.samples, r.replicate FROM (SELECT DISTINCT samples FROM results) l FULL JOIN (SELECT DISTINCT replicate FROM results) r ON l.samples = r.replicate ORDER BY l.samples, r.replicate
SELECT l.samples, r.replicate FROM (SELECT DISTINCT samples FROM results) l RIGHT JOIN (SELECT DISTINCT replicate FROM results) r ON l.samples = r.replicate ORDER BY r.replicate
SELECT COUNT(*) AS n FROM results r SEMI JOIN (SELECT samples FROM results WHERE samples > 3) s ON r.samples = s.samples
SELECT COUNT(*) AS n FROM results r ANTI JOIN best b ON r.samples = b.samples AND r.paradigm = b.winner
SELECT COUNT(*) AS n FROM (SELECT samples, paradigm FROM results UNION ALL BY NAME SELECT paradigm, alignment FROM results)
SELECT x, COUNT(*) AS n FROM (SELECT paradigm AS x FROM results UNION ALL SELECT status FROM results) AS t(x) GROUP BY x ORDER BY n DESC, x
FROM results SELECT MAX(samples) AS n
SELECT results.* FROM results ORDER BY replicate, samples, augmentation_scale, alignment, paradigm LIMIT 2
SELECT samples + 1 AS next, next * 2 AS twice FROM results WHERE next > 4 GROUP BY next ORDER BY twice
SELECT samples + replicate + samples + replicate + samples + replicate + samples + replicate + samples + replicate AS s, COUNT(*) AS n FROM results GROUP BY samples + replicate + samples + replicate + samples + replicate + samples + replicate + samples + replicate ORDER BY s
SELECT DISTINCT samples * 1000 // 2 // 2 // 2 // 2 // 2 AS q, -samples * 7 % 3 % 2 AS r FROM results ORDER BY q
SELECT 9223372036854775806 - 5 AS a, 9223372036854775807 + 0 AS b, -9223372036854775808 AS c, 3037000499 * 3037000499 AS d, ABS(-9223372036854775807) AS e
SELECT DISTINCT 9223372036854775806 - samples AS a, -9223372036854775807 + samples - 4 AS b FROM results ORDER BY a
SELECT -5.5 % CAST(samples AS DOUBLE) AS r, MOD(CAST(samples AS DOUBLE), 0.75) AS m FROM results GROUP BY samples ORDER BY samples
SELECT BOOL_AND(samples > 0) AS a, BOOL_OR(samples > 0) AS o, SUM(samples) AS s FROM results WHERE FALSE
SELECT samples, BOOL_AND(CASE WHEN samples > 3 THEN TRUE END) AS a, BOOL_OR(CASE WHEN samples > 3 THEN replicate > 0 END) AS o FROM results GROUP BY samples ORDER BY samples
SELECT samples FROM results GROUP BY samples HAVING BOOL_AND(NULL::BOOLEAN) ORDER BY samples
SELECT DISTINCT samples, BOOL_AND(CASE WHEN samples > 3 THEN TRUE END) OVER (PARTITION BY samples) AS a FROM results ORDER BY samples
SELECT REPLACE('aaa', '', 'b') AS a, REPLACE('aaa', 'a', 'b') AS b, NOT NULL AS c, LENGTH(NULL) AS d
SELECT COUNT(*) AS n FROM results WHERE NULL
SELECT COUNT(*) AS n FROM results WHERE samples IN (0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 99999999999)
SELECT COUNT(*) AS n FROM results WHERE samples NOT IN (0, 1, 2, 3, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, NULL)
SELECT COUNT(*) AS n FROM results WHERE paradigm IN ('a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'l', 'm', 'n', 'o', 'p', 'supervised') OR NULL
SELECT COUNT(*) AS n FROM results WHERE alignment IN (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 0.5)
-- two
SELECT COUNT(*) FROM results
SELECT COUNT(*) AS n, COUNT(distance) AS m FROM results WHERE samples = 3
SELECT dataset, COUNT(*) AS n FROM results GROUP BY dataset ORDER BY COUNT(*) DESC
SELECT dataset, paradigm, SUM(distance) AS s FROM results GROUP BY dataset, paradigm ORDER BY SUM(distance) DESC, dataset
SELECT COUNT(DISTINCT dataset) AS d, COUNT(*) - 1000 AS n FROM results
SELECT dataset, MEDIAN(distance) AS m FROM results GROUP BY dataset ORDER BY dataset
SELECT COUNT(*) FROM (SELECT replicate FROM results UNION ALL SELECT samples FROM results)
SELECT a.dataset, COUNT(*) AS n FROM results a JOIN results b ON a.replicate = b.replicate AND a.samples = b.samples AND a.paradigm = b.paradigm AND a.alignment = b.alignment AND a.augmentation_scale = b.augmentation_scale GROUP BY a.dataset ORDER BY a.dataset
SELECT dataset, samples, COUNT(*) OVER (PARTITION BY dataset ORDER BY samples) AS n FROM (SELECT DISTINCT dataset, samples FROM results) ORDER BY dataset, samples
SELECT * FROM summary ORDER BY dataset, samples, augmentation_scale, alignment, paradigm
SELECT * FROM best ORDER BY dataset, samples, augmentation_scale, alignment
-- partial
SELECT COUNT(*) FROM results
SELECT paradigm, SUM(distance) AS s FROM results GROUP BY paradigm ORDER BY SUM(distance), paradigm
SELECT samples, COUNT(*) AS n, COUNT(distance) AS m, SUM(distance) AS s FROM results GROUP BY samples ORDER BY samples
SELECT * FROM best ORDER BY samples, augmentation_scale, alignment
SELECT winner, COUNT(*) AS n FROM best GROUP BY winner ORDER BY winner
SELECT * FROM summary ORDER BY samples, augmentation_scale, alignment, paradigm
