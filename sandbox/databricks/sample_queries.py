"""The queries behind ``sample_data``; ``{today}`` and ``{days}`` are filled in, ``roll`` and ``pick`` are its macros."""

REGIONS = """
VALUES ('North', 'Nora Lindgren', 36000, DATE '2009-03-01'), ('South', 'Marco Bellini', 24000, DATE '2012-09-15'),
  ('East', 'Ewa Nowak', 30000, DATE '2011-05-02'), ('West', 'Will Hughes', 32000, DATE '2016-01-11'),
  ('Central', 'Clara Vogt', 20000, DATE '2018-04-03')
"""

PRODUCTS = """
SELECT i, name, category, price, round(price * (0.5 + 0.02 * (i % 8)), 2)
FROM (VALUES
  (1, 'Facing Brick Red', 'Bricks', 0.92), (2, 'Facing Brick Sand', 'Bricks', 0.98),
  (3, 'Engineering Brick', 'Bricks', 1.24), (4, 'Reclaimed Brick', 'Bricks', 1.65),
  (5, 'Glazed Brick', 'Bricks', 2.40), (6, 'Clinker Brick', 'Bricks', 1.38),
  (7, 'Clay Roof Tile', 'Roofing', 1.85), (8, 'Ridge Tile', 'Roofing', 6.90),
  (9, 'Slate Tile', 'Roofing', 3.75), (10, 'Roof Batten', 'Roofing', 2.10),
  (11, 'Paving Slab', 'Paving', 4.60), (12, 'Cobblestone', 'Paving', 1.15),
  (13, 'Kerb Stone', 'Paving', 7.80), (14, 'Garden Edging', 'Paving', 3.20),
  (15, 'Masonry Mortar 25kg', 'Mortar', 6.40), (16, 'Lime Mortar 25kg', 'Mortar', 9.90),
  (17, 'Cement 25kg', 'Mortar', 5.60), (18, 'Tile Adhesive', 'Mortar', 12.50),
  (19, 'Brick Trowel', 'Tools', 18.90), (20, 'Spirit Level', 'Tools', 27.50),
  (21, 'Line and Pins', 'Tools', 8.40), (22, 'Brick Hammer', 'Tools', 24.00),
  (23, 'Mixing Bucket', 'Tools', 6.20), (24, 'Wall Ties 100', 'Tools', 21.00)
) AS p(i, name, category, price)
"""

#: Customers 1, 6, 11 … are North's, 2, 7, 12 … South's and so on; orders count on it.
CUSTOMERS = """
SELECT i, pick(['Alder', 'Birch', 'Cedar', 'Dune', 'Elm', 'Falcon', 'Granite', 'Harbour', 'Iron', 'Juniper', 'Keystone',
    'Linden', 'Meadow', 'Nordic', 'Oak', 'Pioneer'], i, 1)
  || ' ' || pick(['Builders', 'Construction', 'Homes', 'Masonry', 'Supplies', 'Works', 'Estates'], i, 2) || ' ' || i,
  ['North', 'South', 'East', 'West', 'Central'][1 + (i - 1) % 5],
  pick(['Builder', 'Builder', 'Retailer', 'Retailer', 'Public', 'Private'], i, 3),
  {today} - CAST(30 + floor(roll(i, 4) * 2500) AS INT)
FROM range(1, 401) AS r(i)
"""

#: More orders towards today and on weekdays; West grows from a tenth to over a third within the last 75 days.
ORDERS = """
WITH drawn AS (
  SELECT i, {today} - CAST(floor((1 - pow(roll(i, 11), 0.8)) * {days}) AS INT) AS day, roll(i, 12) AS r
  FROM range(20000) AS n(i)
), weekdays AS (
  SELECT i, r, CASE WHEN isodow(day) = 7 AND roll(i, 13) < 0.8 THEN day - 2 ELSE day END AS day FROM drawn
), placed AS (
  SELECT i, day, CASE WHEN day >= {today} - 75
    THEN CASE WHEN r < 0.38 THEN 4 WHEN r < 0.58 THEN 1 WHEN r < 0.76 THEN 3 WHEN r < 0.90 THEN 2 ELSE 5 END
    ELSE CASE WHEN r < 0.30 THEN 1 WHEN r < 0.54 THEN 3 WHEN r < 0.74 THEN 2 WHEN r < 0.88 THEN 5 ELSE 4 END
  END AS region_number FROM weekdays
), priced AS (
  SELECT i, day, region_number, 1 + CAST(floor(pow(roll(i, 14), 1.3) * 24) AS INT) AS product_number,
    CAST(10 + floor(pow(roll(i, 15), 2) * 190) AS INT) AS quantity, 1 - 0.05 * floor(roll(i, 16) * 4) AS factor
  FROM placed
)
SELECT 100000 + row_number() OVER (ORDER BY day, i), day,
  ['North', 'South', 'East', 'West', 'Central'][region_number],
  region_number + 5 * CAST(floor(roll(i, 17) * 80) AS INT), product_id,
  quantity, round(list_price * factor, 2), quantity * round(list_price * factor, 2),
  pick(['online', 'online', 'online', 'store', 'store', 'partner'], i, 18),
  CASE WHEN day >= {today} - 3 AND roll(i, 19) < 0.7 THEN 'pending' WHEN roll(i, 20) < 0.04 THEN 'returned'
    WHEN roll(i, 20) < 0.07 THEN 'cancelled' ELSE 'completed' END
FROM priced JOIN "uc_main"."sales"."products" ON product_id = product_number
ORDER BY day, i
"""

TICKETS = """
WITH drawn AS (
  SELECT i, CAST({today} - CAST(floor((1 - pow(roll(i, 31), 0.7)) * {days}) AS INT) AS TIMESTAMP)
    + to_minutes(CAST(420 + floor(roll(i, 32) * 660) AS BIGINT)) AS opened, roll(i, 33) AS r
  FROM range(1500) AS n(i)
), sorted AS (SELECT *, opened >= {today} - 60 AS recent FROM drawn WHERE opened < {today})
SELECT row_number() OVER (ORDER BY opened, i), opened,
  CASE WHEN opened > {today} - 14 AND roll(i, 34) < 0.6 THEN NULL
    ELSE opened + to_hours(CAST(1 + floor(roll(i, 35) * 90) AS BIGINT)) END,
  1 + CAST(floor(roll(i, 36) * 400) AS INT), 1 + CAST(floor(roll(i, 37) * 24) AS INT),
  CASE WHEN r < if(recent, 0.55, 0.30) THEN 'delivery' WHEN r < 0.72 THEN 'quality' WHEN r < 0.88 THEN 'billing'
    ELSE 'advice' END,
  pick(['low', 'normal', 'normal', 'normal', 'high', 'urgent'], i, 38),
  CAST(5 + floor(pow(roll(i, 39), 2) * 700) AS INT),
  CASE WHEN roll(i, 40) < 0.6 THEN CAST(1 + floor(sqrt(roll(i, 41)) * 5) AS INT) END
FROM sorted ORDER BY opened, i
"""

EVENTS = """
WITH days AS (
  SELECT {today} - CAST(n AS INT) AS day, source, 5 * n + source AS i, n
  FROM range({days}) AS d(n), range(5) AS s(source)
), visits AS (
  SELECT day, source, i, CAST(([420, 260, 140, 90, 310][source + 1]) * (1 + 0.35 * ({days} - n) / {days})
    * if(isodow(day) >= 6, 0.6, 1.0) * (0.85 + 0.3 * roll(i, 51)) AS INT) AS sessions FROM days
)
SELECT day, ['search', 'ads', 'social', 'email', 'direct'][source + 1], sessions,
  CAST(sessions * (0.02 + 0.03 * roll(i, 52)) AS INT), CAST(sessions * (0.01 + 0.02 * roll(i, 53)) AS INT)
FROM visits ORDER BY day, source
"""

SALARIES = """
SELECT i, ['Sales', 'Engineering', 'Support', 'Finance', 'Operations'][1 + i % 5],
  pick(['Assistant', 'Specialist', 'Specialist', 'Senior Specialist', 'Lead'], i, 61),
  round(34000 + 4000 * (i % 5) + floor(roll(i, 62) * 38) * 1000, 2),
  {today} - CAST(60 + floor(roll(i, 63) * 3600) AS INT)
FROM range(1, 61) AS r(i)
"""

#: kiln-4 drifts upwards by about three degrees a day in its last week.
SENSOR_READINGS = """
WITH hours AS (SELECT h, s, 10 * h + s AS i FROM range(720) AS a(h), range(10) AS b(s))
SELECT if(s < 6, 'kiln-' || (s + 1), 'store-' || (s - 5)), if(s < 6, 'Works Hill', 'Riverside Depot'),
  CAST({today} AS TIMESTAMP) - to_hours(h),
  round(if(s < 6, 980 + 8 * roll(i, 71), 17 + 5 * roll(i, 71)) + if(s = 3 AND h < 168, (168 - h) / 8.0, 0), 1),
  round(if(s < 6, 8 + 4 * roll(i, 72), 45 + 15 * roll(i, 72)), 1),
  round(0.5 + roll(i, 73) + if(s = 3 AND h < 168, 1.2, 0), 2)
FROM hours ORDER BY h DESC, s
"""
